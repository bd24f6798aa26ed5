/** Runs all rules between the parts of one manifest. */

import type { Problem } from "../../../diagnostics/problem.ts";
import type { CheckedTier, CheckInputs } from "../../model/checked.ts";
import { checkChains } from "./chains.ts";
import { checkDestinations } from "./destinations.ts";
import { checkMatches } from "./matches.ts";
import { checkPlacement } from "./placement.ts";
import { checkReferences } from "./references.ts";

export const checkRules = (tier: CheckedTier, inputs: CheckInputs): Problem[] => [
  ...checkPlacement(tier, inputs),
  ...checkDestinations(tier),
  ...checkMatches(tier),
  ...checkChains(tier, inputs),
  ...checkReferences(tier, inputs),
];
