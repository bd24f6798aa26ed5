/** What must hold between the parts of one manifest, when each of them holds by itself. */

import type { Problem } from "../../../diagnostics/problem.ts";
import type { CheckedTier, Surroundings } from "../../model/checked.ts";
import { chainsHold } from "./chains.ts";
import { destinationsHold } from "./destinations.ts";
import { matchesHold } from "./matches.ts";
import { placementHolds } from "./placement.ts";
import { referencesHold } from "./references.ts";

export const rulesBroken = (tier: CheckedTier, surroundings: Surroundings): Problem[] => [
  ...placementHolds(tier, surroundings),
  ...destinationsHold(tier),
  ...matchesHold(tier),
  ...chainsHold(tier, surroundings),
  ...referencesHold(tier, surroundings),
];
