/** Responds without a service: a notice, a fixed document. The request counts as answered, not as refused, whatever the status. With `when`, other requests pass. */

import type { Guard } from "../gateway/core/types.ts";
import { type Config, defineFilter } from "../gateway/part.ts";
import { respondHandler, respondPlan } from "../gateway/service/direct-response.ts";
import { respond } from "../manifest/destinations.ts";

export const spec = () =>
  defineFilter({
    kind: "guard",
    phase: "traffic",
    schema: respond(),
    example: { status: 200, json: { maintenance: false } },
    codes: {},
  });

export const make = (config: Config<typeof spec>): Guard => respondHandler(respondPlan(config));
