/** Responds without a service, for a share of a weighted list. */

import type { Handler } from "../gateway/core/types.ts";
import { type Config, defineUpstream } from "../gateway/part.ts";
import { respondHandler, respondPlan } from "../gateway/service/direct-response.ts";
import { respond } from "../manifest/destinations.ts";

export const spec = () =>
  defineUpstream({
    kind: "upstream",
    schema: respond(),
    example: { status: 200, json: { maintenance: true } },
    codes: {},
    connections: () => 0,
  });

export const make = (config: Config<typeof spec>): Handler => respondHandler(respondPlan(config));
