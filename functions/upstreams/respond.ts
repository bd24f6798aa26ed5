/** Answers by itself, with no service behind it: what a weighted list leads to for a share that has none. */
import { responding, respondPlan } from "../gateway/answers.ts";
import { respond } from "../gateway/goes.ts";
import { aboutUpstream, type Config } from "../gateway/part.ts";
import type { Handler } from "../gateway/types.ts";

export const spec = () =>
  aboutUpstream({
    kind: "upstream",
    schema: respond(),
    example: { status: 200, json: { maintenance: true } },
    codes: {},
    connections: () => 0,
  });

export const make = (config: Config<typeof spec>): Handler => responding(respondPlan(config));
