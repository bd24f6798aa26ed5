/** Answers by itself, with no service behind it: a notice, a fixed document. It counts as answered, not as refused, whatever its status. Put `when` beside it, and others pass. */
import { responding, respondPlan } from "../gateway/answers.ts";
import { respond } from "../gateway/goes.ts";
import { aboutFilter, type Config } from "../gateway/part.ts";
import type { Guard } from "../gateway/types.ts";

export const spec = () =>
  aboutFilter({
    kind: "guard",
    phase: "traffic",
    schema: respond(),
    example: { status: 200, json: { maintenance: false } },
    codes: {},
  });

export const make = (config: Config<typeof spec>): Guard => responding(respondPlan(config));
