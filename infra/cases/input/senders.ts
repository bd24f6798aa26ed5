/** Who sends a case's request: the caller that it names, or somebody on the side of a split that it asks for. */

import { share as shareOf } from "../../../functions/gateway/core/quantities.ts";
import type { Persona } from "../../../functions/gateway/hooks/credentials.ts";
import { networkOf } from "../../../functions/gateway/http/client-network.ts";
import { cutoverSide } from "../../../functions/gateway/service/cutover.ts";
import { userPosition, weightedPicker } from "../../../functions/gateway/service/destination.ts";
import { isEnforced } from "../../compiler/check/rules/enforced.ts";
import type { CheckedRoute } from "../../compiler/model/checked.ts";
import { choice } from "../../diagnostics/schema-issues.ts";
import { type CredentialContext, routeWithCredentials } from "./case-credentials.ts";
import { callersKnownTo } from "./personas.ts";
import type { CaseStep } from "./read.ts";

export interface Sender {
  readonly persona: Persona | undefined;
  readonly ip: string;
}

/** The address of clients that a case says nothing about. */
const defaultIp = "192.0.2.1";

export const senderOf = (request: Request, url: URL, step: CaseStep, context: CredentialContext): Sender => {
  const { as, from: ip = defaultIp } = step;
  if (as === undefined) return { persona: undefined, ip };
  if (typeof as === "string") return { persona: { name: as }, ip };
  const { name, share, ...changes } = as;
  if (share === undefined) return { persona: { ...changes, name: name as string }, ip };
  const chosen = chooseSender({ request, url, step, share, changes }, context);
  if ("ip" in chosen) return chosen;
  const { source } = context.suite;
  const { message, remedy } = chosen;
  if (source)
    context.problems.push(source.problem([...step.path, "as", "share"], "unknown-value", message, { remedy }));
  return { persona: undefined, ip };
};

interface ShareInput {
  readonly request: Request;
  readonly url: URL;
  readonly step: CaseStep;
  /** The name of an upstream. */
  readonly share: string;
  /** The other keys of `as`. */
  readonly changes: Omit<Persona, "name">;
}

/** Why nobody is on that side. */
interface Nobody {
  readonly message: string;
  readonly remedy: string;
}

const chooseSender = (
  { request, url, step, share, changes }: ShareInput,
  context: CredentialContext,
): Sender | Nobody => {
  const { tier } = context.suite.tier.manifest;
  const route = routeWithCredentials(request, url, { ...changes, name: nameOf(0) }, context);
  if (!route) return { message: "no route takes this request", remedy: "send a request of a route with weights" };
  const { to, cutover } = route.settings;
  const weights = typeof to === "string" ? [[to, 1] as const] : (to ?? []).flatMap((it) => Object.entries(it));
  const names = [...weights.map(([upstream]) => upstream), ...(cutover ? [cutover.legacy] : [])];
  if (!names.includes(share))
    return {
      message: `${route.name} leads to no upstream "${share}"`,
      remedy: choice(share, names) ?? "name an upstream of its `to`, or of its `cutover`",
    };
  const isIdentified = identifiesCallers(route);
  if ((cutover || !isIdentified) && bringsGrayKey(request, context))
    return { message: "the request brings a gray key, which decides its side", remedy: "leave the key out" };
  const pick = weightedPicker(weights);
  const hasWeight = (key: string) => pick(userPosition(route.name, key)) === share;
  const isLegacy = cutover?.legacy === share;
  const isOnSide = (ip: string) =>
    !cutover || (cutoverSide(tier, { grayKey: null, ip }, shareOf(cutover.percent)) === "legacy") === isLegacy;
  const callers = callersKnownTo(route.chain, context.compiled.consumers) ?? candidates(nameOf);
  const name = isIdentified && !isLegacy ? callers.find(hasWeight) : callers[0];
  const addresses = step.from === undefined ? candidates(addressOf) : [step.from];
  const ip = addresses.find((it) => isOnSide(it) && (isIdentified || isLegacy || hasWeight(networkOf(it))));
  if (name === undefined)
    return {
      message: `no consumer that ${route.name} knows is on the side of ${share}`,
      remedy: "add one to routes/consumers.yaml",
    };
  if (ip === undefined)
    return step.from === undefined
      ? { message: `no client is on the side of ${share}`, remedy: "name an upstream with a share" }
      : { message: `${step.from} is not on the side of ${share}`, remedy: "leave `from` out" };
  return { persona: { ...changes, name }, ip };
};

/** Weights then go by consumer, not by address. */
const identifiesCallers = ({ chain }: CheckedRoute): boolean =>
  chain.some((it) => isEnforced(it) && it.spec.provides?.includes("consumer"));

const bringsGrayKey = ({ headers }: Request, { compiled, suite }: CredentialContext): boolean => {
  if (suite.tier.manifest.entry === "zone") return false;
  const { header, cookie } = compiled.environment.value.front["gray-key"];
  const bareName = cookie.replace(/^__(?:Host|Secure)-/i, "");
  return (header !== undefined && headers.has(header)) || headers.get("cookie")?.includes(`${bareName}=`) === true;
};

/** Enough for a share of a thousandth. */
const maxCandidates = 10_000;

const candidates = (make: (index: number) => string): string[] =>
  Array.from({ length: maxCandidates }, (_, index) => make(index));

const nameOf = (index: number): string => `user-${index + 1}`;

/** Addresses for documentation (RFC 5737, RFC 3849): first those of IPv4, then one of each IPv6 network. */
const addressOf = (index: number): string =>
  index < 254 ? `192.0.2.${index + 1}` : `2001:db8:${index.toString(16)}::1`;
