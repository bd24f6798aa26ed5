/** Every rule of the audit, in the order of the reference. */
import { ignoreRules } from "./ignore-rules.ts";
import type { Rule } from "./rule-kit/rule.ts";
import { outlastedClient, wideBody } from "./rules/bounds.ts";
import {
  everybodysCookies,
  forgeableWrite,
  looseScripts,
  openedNetwork,
  plaintextOrigin,
  unpinnedTransport,
} from "./rules/browsers.ts";
import { acceptedSpoofableHeader, greedyClient } from "./rules/clients.ts";
import {
  forwardedCredential,
  mutableClaim,
  serviceExposed,
  sharedKey,
  spoofableHeader,
  unauthenticatedWrite,
  unsignedConsumers,
} from "./rules/identity.ts";
import { countedApart, evadableLimit, guessableKey, openOnFailure, unlimitedPublicRoute } from "./rules/limits.ts";
import { costlyPattern } from "./rules/patterns.ts";
import { bypassingSlash } from "./rules/slashes.ts";
import { bypassingSpelling } from "./rules/spellings.ts";
import {
  anyMethod,
  idleProtection,
  mutedLog,
  passedSunset,
  releasedAtOnce,
  wideRange,
  writtenSecret,
} from "./rules/surface.ts";
import { anyAudience, longToken, slowRevocation, staleKeys, tokenInQuery, wideLeeway } from "./rules/tokens.ts";
import {
  carriedQuery,
  keptLocation,
  plaintextKeys,
  plaintextRedirect,
  plaintextStore,
  plaintextUpstream,
} from "./rules/transport.ts";

import { uncheckedWord } from "./rules/validation.ts";

export const rules: readonly Rule[] = [
  unauthenticatedWrite,
  serviceExposed,
  spoofableHeader,
  acceptedSpoofableHeader,
  mutableClaim,
  sharedKey,
  unsignedConsumers,
  forwardedCredential,
  unlimitedPublicRoute,
  evadableLimit,
  guessableKey,
  openOnFailure,
  countedApart,
  greedyClient,
  anyAudience,
  tokenInQuery,
  longToken,
  wideLeeway,
  staleKeys,
  slowRevocation,
  openedNetwork,
  forgeableWrite,
  everybodysCookies,
  plaintextOrigin,
  looseScripts,
  unpinnedTransport,
  plaintextUpstream,
  plaintextKeys,
  plaintextStore,
  plaintextRedirect,
  carriedQuery,
  keptLocation,
  wideBody,
  outlastedClient,
  costlyPattern,
  uncheckedWord,
  bypassingSlash,
  bypassingSpelling,
  anyMethod,
  wideRange,
  passedSunset,
  idleProtection,
  mutedLog,
  releasedAtOnce,
  writtenSecret,
];

/** What can be said, those of ignores among it. */
export const allRules: readonly Pick<Rule, "id" | "severity" | "summary" | "incident" | "remedy">[] = [
  ...rules,
  ...ignoreRules,
];
