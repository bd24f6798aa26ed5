/** All audit rules, in the order of the reference. */
import { ignoreRules } from "./ignore-rules.ts";
import { partRules } from "./part-rules.ts";
import type { Rule } from "./rule-kit/rule.ts";
import { outlastedClient, wideBody } from "./rules/bounds.ts";
import { forgeableWrite, openedNetwork } from "./rules/browsers.ts";
import { acceptedSpoofableHeader, greedyClient } from "./rules/clients.ts";
import {
  forwardedCredential,
  serviceExposed,
  spoofableHeader,
  unauthenticatedWrite,
  unsignedConsumers,
} from "./rules/identity.ts";
import { countedApart, evadableLimit, guessableKey, unlimitedPublicRoute } from "./rules/limits.ts";
import { costlyPattern } from "./rules/patterns.ts";
import { slowRevocation } from "./rules/revocation.ts";
import { bypassingSlash } from "./rules/slashes.ts";
import { bypassingSpelling } from "./rules/spellings.ts";
import {
  anyMethod,
  idleProtection,
  mutedLog,
  passedSunset,
  releasedAtOnce,
  unguardedWatch,
  writtenSecret,
} from "./rules/surface.ts";
import { carriedQuery, keptLocation, plaintextRedirect, plaintextUpstream } from "./rules/transport.ts";
import { uncheckedWord } from "./rules/validation.ts";

/** Of the reference; a rule that is not listed follows behind. */
const order: readonly string[] = [
  "unauthenticated-write",
  "service-exposed",
  "spoofable-header",
  "accepted-spoofable-header",
  "mutable-claim",
  "shared-key",
  "unsigned-consumers",
  "forwarded-credential",
  "unlimited-public-route",
  "evadable-limit",
  "guessable-key",
  "open-on-failure",
  "counted-apart",
  "greedy-client",
  "any-audience",
  "token-in-query",
  "long-token",
  "wide-leeway",
  "stale-keys",
  "slow-revocation",
  "opened-network",
  "forgeable-write",
  "everybodys-cookies",
  "plaintext-origin",
  "loose-scripts",
  "unpinned-transport",
  "plaintext-upstream",
  "plaintext-keys",
  "plaintext-store",
  "plaintext-redirect",
  "carried-query",
  "kept-location",
  "wide-body",
  "outlasted-client",
  "costly-pattern",
  "unchecked-word",
  "bypassing-slash",
  "bypassing-spelling",
  "any-method",
  "wide-range",
  "passed-sunset",
  "idle-protection",
  "muted-log",
  "released-at-once",
  "unguarded-watch",
  "written-secret",
];

const placeOf = ({ id }: Rule): number => (order.includes(id) ? order.indexOf(id) : order.length);

const overRoutes: readonly Rule[] = [
  unauthenticatedWrite,
  serviceExposed,
  spoofableHeader,
  acceptedSpoofableHeader,
  unsignedConsumers,
  forwardedCredential,
  unlimitedPublicRoute,
  evadableLimit,
  guessableKey,
  countedApart,
  greedyClient,
  slowRevocation,
  openedNetwork,
  forgeableWrite,
  plaintextUpstream,
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
  passedSunset,
  idleProtection,
  mutedLog,
  releasedAtOnce,
  unguardedWatch,
  writtenSecret,
];

/** With those of the project's own parts. */
export const rules = (): Rule[] => [...overRoutes, ...partRules()].toSorted((a, b) => placeOf(a) - placeOf(b));

/** All rules, including those for ignore comments. */
export const allRules = (): Pick<Rule, "id" | "severity" | "summary" | "incident" | "remedy">[] => [
  ...rules(),
  ...ignoreRules,
];
