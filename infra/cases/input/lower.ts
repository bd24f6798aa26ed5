/** Lowers a tier and its cases to the batch that the case Worker runs. */
import { tierFinder } from "../../../functions/front/tier-finder.ts";
import type { Plan } from "../../../functions/gateway/core/plan.ts";
import { bytes, milliseconds } from "../../../functions/gateway/core/quantities.ts";
import { hostOf } from "../../../functions/gateway/http/hosts.ts";
import { preflightMethod } from "../../../functions/gateway/http/preflight.ts";
import { createRouteFinder } from "../../../functions/gateway/routing/finder.ts";
import type { Compiled, CompiledTier } from "../../compiler/compile.ts";
import { requiredSecrets } from "../../compiler/emit/wrangler.ts";
import { gateBinding, lower, routeBinding } from "../../compiler/lower/lower.ts";
import { requiredBindings } from "../../compiler/lower/platform.ts";
import type { Problem } from "../../diagnostics/problem.ts";
import type { Batch, Conversation, Reply as Replied, Send, Step } from "./batch.ts";
import { type CredentialContext, credentialsOf } from "./case-credentials.ts";
import { validationScript } from "./checks.ts";
import type { Message, Reply } from "./language.ts";
import { consumerStore, type RunKeys, readsCredential, secretFor, trusting } from "./personas.ts";
import { type CaseStep, copyingFilters, type Suite } from "./read.ts";
import { senderOf } from "./senders.ts";

export interface Lowered {
  readonly batch: Batch;
  /** Problems of cases that cannot be run as written. */
  readonly problems: readonly Problem[];
}

export const lowerSuite = async (suite: Suite, compiled: Compiled, keys: RunKeys): Promise<Lowered> => {
  const { tier } = suite;
  const name = tier.manifest.tier;
  const compiledTier = compiled.tiers.find(({ checked }) => checked.manifest.tier === name) as CompiledTier;
  const problems: Problem[] = [];
  const context = createContext(suite, compiled, keys, problems);
  const conversations = suite.cases.map(
    ({ at, steps }): Conversation => ({ at, steps: steps.map((step) => lowerStep(step, context)) }),
  );
  const bindings = requiredBindings(tier);
  const secrets = requiredSecrets([tier]).map((it): [string, string] => [it, secretFor(keys, it)]);
  const batch: Batch = {
    tier: name,
    plans: plansByBinding(compiledTier, keys),
    front: tier.manifest.entry === "zone" ? null : compiled.front,
    secrets: Object.fromEntries(secrets),
    stores: Object.fromEntries(
      bindings.flatMap((it) =>
        it.kind === "kv"
          ? [[it.binding, it.namespace === "consumers" ? consumerStore(compiled.consumers, keys) : {}]]
          : [],
      ),
    ),
    services: serviceBindings(suite),
    checks: await validationScript(tier),
    copyingFilters: copyingFilters(tier).map(({ use }) => use),
    issuers: Object.fromEntries(keys.issuers),
    redactions: {
      ...Object.fromEntries(secrets.map(([it, value]) => [value, `secret:${it}`])),
      [`${keys.seed}.`]: "key:",
    },
    conversations,
  };
  return { batch, problems };
};

/** Plans of its own gate and of its lifted routes, by the front's bindings. */
const plansByBinding = ({ checked, serves }: CompiledTier, keys: RunKeys): Record<string, Plan> => {
  const { tier } = checked.manifest;
  return Object.fromEntries(
    serves.map(({ checked: served, plan }, index) => [
      index === 0 ? gateBinding(tier) : routeBinding(tier, served.routes[0]?.name ?? ""),
      trusting(plan, keys),
    ]),
  );
};

const serviceBindings = ({ tier }: Suite): Record<string, string> =>
  Object.fromEntries(
    Object.entries(tier.upstreams).flatMap(([name, { spec, config }]) =>
      (spec.bindings?.(config) ?? []).flatMap((it) => (it.kind === "service" ? [[name, it.binding]] : [])),
    ),
  );

interface LoweringContext extends CredentialContext {
  /** The tier that serves a URL; undefined if none does. */
  readonly tierOf: (url: URL) => string | undefined;
}

const createContext = (suite: Suite, compiled: Compiled, keys: RunKeys, problems: Problem[]): LoweringContext => {
  const find = tierFinder(compiled.front.tiers);
  return {
    suite,
    compiled,
    keys,
    problems,
    tierOf: (url) => {
      const found = find(hostOf(url), url.pathname);
      return typeof found === "object" ? found.tier : undefined;
    },
    routeOf: routeFinder(suite, compiled),
  };
};

/** Returns a function that finds the route of a request, as the gate does. */
export const routeFinder = ({ tier }: Suite, { environment }: Compiled): LoweringContext["routeOf"] => {
  const { canonical, find } = createRouteFinder(lower(tier, environment.name, tier.routes));
  const routes = new Map(tier.routes.map((it) => [it.name, it]));
  return (request, url) => {
    const path = canonical(url.pathname);
    if (path === undefined) return undefined;
    const found = find(preflightMethod(request) ?? request.method, path, request, url);
    return found?.kind === "found" ? routes.get(found.route) : undefined;
  };
};

const lowerStep = (step: CaseStep, context: LoweringContext): Step => {
  const list = Array.isArray(step.send) ? step.send : [step.send];
  const sends = list.map((it, index) => {
    const at = Array.isArray(step.send) ? ["send", index] : ["send"];
    return lowerSend(typeof it === "string" ? defaultMessage(it) : it, step, at, context);
  });
  const { suite, problems } = context;
  const hasCredentials = sends.some((it) => it.credentials.length > 0 || needsIdentity(it, context));
  const isByShare = typeof step.as === "object" && step.as.share !== undefined;
  if (step.setsPersona && !isByShare && !hasCredentials && suite.source)
    problems.push(
      suite.source.problem([...step.path, "as"], "unknown-value", "no filter on this route identifies the caller", {
        remedy: "remove `as`",
      }),
    );
  return {
    afterMs: milliseconds(step.after),
    down: step.down,
    sends,
    replies: Object.fromEntries(
      Object.entries(step.upstream ?? {}).map(([name, { replies }]) => [name, [replies ?? []].flat().map(lowerReply)]),
    ),
  };
};

/** Whether a filter of the request's route identifies callers. */
const needsIdentity = ({ method, url, headers }: Send, { routeOf }: LoweringContext): boolean => {
  const request = new Request(url, { method: nodeMethod(method), headers });
  return preflightMethod(request) === null && routeOf(request, new URL(url))?.chain.some(readsCredential) === true;
};

const defaultMessage = (request: string): Message => ({
  request,
  headers: {},
  stream: "whole",
  repeat: 1,
  every: "0ms",
  burst: 1,
});

const lowerSend = (
  message: Message,
  step: CaseStep,
  at: readonly (string | number)[],
  context: LoweringContext,
): Send => {
  const { suite } = context;
  const [method = "", target = ""] = message.request.split(" ");
  const host = (suite.tier.manifest.hosts[0] ?? "").replace("*.", "any.");
  const url = new URL(target.startsWith("/") ? `https://${host}${target}` : target);
  const tier = context.tierOf(url);
  if (tier !== undefined && tier !== suite.tier.manifest.tier && suite.source)
    context.problems.push(
      suite.source.problem([...step.path, ...at], "unknown-value", `${target} is served by the tier ${tier}`, {
        remedy: `put the case into routes/${tier}.test.yaml`,
      }),
    );
  const body = bodyText(message);
  const headers = {
    ...(message.json !== undefined && { "content-type": "application/json" }),
    ...message.headers,
  };
  const request = new Request(url, { method: nodeMethod(method), headers });
  const { persona, ip } = senderOf(request, url, step, context);
  return {
    method,
    url: url.href,
    headers,
    body,
    stream: message.stream,
    ip,
    credentials: credentialsOf(request, url, persona, step.path, context),
    repeat: message.repeat,
    everyMs: milliseconds(message.every),
    burst: message.burst,
  };
};

/** Node's `Request` rejects TRACE and CONNECT. No route matches them either, so GET is used for the lookup. */
const nodeMethod = (method: string): string => (["TRACE", "CONNECT", "TRACK"].includes(method) ? "GET" : method);

const bodyText = ({ json, text, size }: Pick<Message, "json" | "text" | "size">): string | null =>
  json !== undefined ? JSON.stringify(json) : (text ?? (size === undefined ? null : "x".repeat(bytes(size))));

const lowerReply = (reply: Reply): Replied => {
  if (reply === "unreachable") return { unreachable: true };
  const { status, headers, json, text, after } = reply;
  return {
    status,
    headers: { ...(json !== undefined && { "content-type": "application/json" }), ...headers },
    body: bodyText({ json, text, size: undefined }),
    afterMs: milliseconds(after),
  };
};
