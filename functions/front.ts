/**
 * The front: the Worker ahead of the gates. It removes spoofable headers, sets request id and gray key, and finds the
 * tier of a request.
 */

import { grayKeySetter, withoutGrayKey } from "./front/gray-key.ts";
import { sanitizeHeaders } from "./front/sanitize.ts";
import type { FrontTelemetry, TelemetrySink } from "./front/telemetry.ts";
import { type NotFoundCode, tierFinder } from "./front/tier-finder.ts";
import type { VersionKeys } from "./front/version-keys.ts";
import type { FrontPlan } from "./gateway/core/plan.ts";
import { gatewayCodes, type ProblemOptions, problemResponse } from "./gateway/core/problems.ts";
import { hostOf } from "./gateway/http/hosts.ts";
import { parseRequestUrl } from "./gateway/http/request-url.ts";
import { type LabelVerifier, labelHeader, type TesterLabel } from "./gateway/identity/label.ts";
import { clusterName, networkCluster } from "./gateway/observability/clusters.ts";
import {
  addGateOnlyHeaders,
  broughtKeyMark,
  frontVersionHeader,
  overridesHeader,
  setCallerHeader,
  smokeHeader,
  versionKeyHeader,
} from "./gateway/proxy/forwarding.ts";
import { acceptedHeadersOf } from "./gateway/proxy/spoofable-headers.ts";

/** Bindings to gates, and `TELEMETRY`. */
type Env = Readonly<Record<string, Fetcher>>;

/** State of one request. */
interface RequestState {
  readonly env: Env;
  readonly defer: TelemetrySink["defer"];
  /** The client's request, unmodified. */
  readonly original: Request;
  /** The request to the gate: the front's only copy, sanitized. */
  readonly outgoing: Request;
  readonly requestId: string;
  /** The tester's label, if it is valid. */
  readonly label: TesterLabel | undefined;
  readonly grayKey: string;
  /** The front generated the gray key, since the client sent none. */
  readonly isDealt: boolean;
  /** The platform chose the front's version by a key of the client's own. */
  readonly bringsKey: boolean;
  /** The client chose the front's version, so its request does not measure it. */
  readonly choosesVersion: boolean;
  /** Milliseconds since the epoch. */
  readonly started: number;
}

/**
 * One handler: each separate middleware would cost every request a promise and a few objects.
 * @param labels verifies testers' labels; set only when control signs them
 * @param telemetry reports to control; set only when a control plane is configured
 * @param keys makes the salts of version keys; without them the gray key is the version key
 */
export const front = (
  plan: FrontPlan,
  labels?: LabelVerifier,
  telemetry?: FrontTelemetry,
  keys?: (log: (line: object) => void) => VersionKeys | undefined,
) => {
  const setGrayKey = grayKeySetter(plan.grayKey, () => crypto.randomUUID());
  const withoutGrayCookie = withoutGrayKey(plan.grayKey);
  const record = recorder(telemetry);
  const forwardToGate = gateForwarder(plan.tiers, telemetry, record, keys?.(log));
  const accepted = acceptedHeadersOf(plan.tiers);
  const serve = async (state: RequestState): Promise<Response> => {
    try {
      return refuseIfNothingDeployed(state, plan.tiers) ?? (await forwardToGate(state));
    } catch (error) {
      logFault(state, "internal", error);
      return record(state, null, refuse(state, "internal", null), "internal", false);
    }
  };
  const fetch = async (
    original: Request,
    env: Env,
    context: Pick<ExecutionContext, "waitUntil">,
  ): Promise<Response> => {
    const started = Date.now();
    const outgoing = new Request(original);
    const { headers } = outgoing;
    // Gates never see a label. An invalid label is ignored.
    const text = headers.get(labelHeader);
    const { requestId, gateOnlyHeaders, choosesVersion, hasVersionKey } = sanitizeHeaders(
      headers,
      plan.requestId?.accept === true,
      accepted,
      crypto.randomUUID(),
    );
    const names = choosesVersion || !telemetry ? gateOnlyHeaders : [...gateOnlyHeaders, telemetry.versionName];
    const { key: grayKey, isGenerated: isDealt, setCookie } = setGrayKey(original, headers, names);
    // Without a gray key the zone's rules set no version key, so the client sent one of its own.
    const bringsKey = isDealt && hasVersionKey;
    if (bringsKey) setCallerHeader(headers, grayKey, [broughtKeyMark, ...names], isDealt);
    const label = text === null ? undefined : await labels?.(text, started);
    const defer: TelemetrySink["defer"] = (work) => context.waitUntil(work);
    const state = {
      env,
      defer,
      original,
      outgoing,
      requestId,
      label,
      grayKey,
      isDealt,
      bringsKey,
      choosesVersion,
      started,
    };
    const answer = withoutGrayCookie(await serve(state));
    const response = label && telemetry ? withHeader(answer, frontVersionHeader, telemetry.version) : answer;
    return setCookie === undefined ? response : withHeader(response, "set-cookie", setCookie);
  };
  return { fetch };
};

/**
 * Sends a tester to the versions that the label names, in its tiers. In other tiers a tester counts as a user.
 * @returns whether it applies
 */
const applyTesterLabel = (headers: Headers, tier: string, label: TesterLabel | undefined): boolean => {
  if (!label?.tiers.includes(tier)) return false;
  headers.set(overridesHeader, label.versions);
  headers.set(smokeHeader, "1");
  addGateOnlyHeaders(headers, [overridesHeader, smokeHeader]);
  return true;
};

const withHeader = (response: Response, name: string, value: string): Response => {
  const copy = new Response(response.body, response);
  copy.headers.append(name, value);
  return copy;
};

/** A front alone, as a bare `wrangler deploy` creates it, explains what is missing on any host. */
const refuseIfNothingDeployed = (state: RequestState, tiers: FrontPlan["tiers"]): Response | undefined => {
  if (tiers.some(({ binding }) => state.env[binding])) return undefined;
  const names = tiers.map(({ tier }) => tier).join(", ");
  const detail = `No gate is deployed behind this front yet (${names}). Run: npx postern deploy`;
  return refuse(state, "tier-not-deployed", null, { detail });
};

/** Counts a response and returns it. @param code of the front's own problem; empty if a gate answered */
type RecordAnswer = (
  state: RequestState,
  tier: string | null,
  response: Response,
  code: string,
  isTester: boolean,
) => Response;

const recorder =
  (telemetry: FrontTelemetry | undefined): RecordAnswer =>
  (state, tier, response, code, isTester) => {
    if (!telemetry || isTester) return response;
    const { choosesVersion, started } = state;
    const { status } = response;
    telemetry.recordAnswer(sinkOf(state), {
      tier,
      status,
      code,
      cluster: ownClusterOf(state),
      choosesVersion,
      started,
    });
    return response;
  };

/** For the front's own version. */
const ownClusterOf = (state: RequestState): number => clusterOf(state, state.isDealt && !state.bringsKey);

const clusterOf = ({ outgoing }: RequestState, isDealt: boolean): number =>
  networkCluster(outgoing.headers.get("cf-connecting-ip"), isDealt);

const gateForwarder = (
  tiers: FrontPlan["tiers"],
  telemetry: FrontTelemetry | undefined,
  record: RecordAnswer,
  keys: VersionKeys | undefined,
) => {
  const find = tierFinder(tiers);
  const refuseUnrouted = (state: RequestState, code: NotFoundCode | "host-malformed"): Response =>
    record(state, null, refuse(state, code, null), code, false);
  return async (state: RequestState): Promise<Response> => {
    const { env, original, outgoing } = state;
    const url = parseRequestUrl(original.url);
    if (url === undefined) return refuseUnrouted(state, "host-malformed");
    const found = find(hostOf(url), url.pathname);
    if (typeof found === "string") return refuseUnrouted(state, found);
    for (const name of found.removedHeaders) outgoing.headers.delete(name);
    // Sanitized, as the gate receives it, so that front and gate find the same route.
    const binding = found.bindingFor(outgoing, url);
    const gate = env[binding];
    const { tier } = found;
    const isTester = applyTesterLabel(outgoing.headers, tier, state.label);
    if (!gate) return record(state, tier, refuse(state, "tier-not-deployed", tier), "tier-not-deployed", isTester);
    const salt = keys?.saltOf(binding, state.started) ?? "";
    outgoing.headers.set(versionKeyHeader, (typeof salt === "string" ? salt : await salt) + state.grayKey);
    try {
      return record(state, tier, await gate.fetch(outgoing), "", isTester);
    } catch (error) {
      logFault(state, "gate-unavailable", error, tier);
      if (!original.signal.aborted) {
        const { headers } = outgoing;
        const { started, isDealt } = state;
        telemetry?.recordDeath(sinkOf(state), { tier, gate, headers, cluster: clusterOf(state, isDealt), started });
      }
      const response = refuse(state, "gate-unavailable", tier, { headers: { "retry-after": "5" } });
      return record(state, tier, response, "gate-unavailable", isTester);
    }
  };
};

const sinkOf = ({ env, defer }: RequestState): TelemetrySink => ({ control: env.TELEMETRY, defer });

/** Responds in place of a gate and writes the access log line. */
const refuse = (
  state: RequestState,
  code: keyof typeof gatewayCodes,
  tier: string | null,
  options: ProblemOptions = {},
): Response => {
  const { original, requestId: request } = state;
  const { method } = original;
  const { status } = gatewayCodes[code];
  const verdict = status < 500 ? "refused" : "failed";
  const time = new Date().toISOString();
  const cluster = clusterName(ownClusterOf(state));
  log({ type: "access", time, tier, route: null, method, status, verdict, by: "front", code, cluster, request });
  const response = problemResponse(code, gatewayCodes[code], request, options);
  response.headers.set("x-request-id", request);
  return response;
};

const log = (line: object) => console.log(JSON.stringify(line));

const logFault = ({ requestId: request }: RequestState, code: string, error: unknown, tier?: string) => {
  const cause = error instanceof Error ? error.message : String(error);
  log({ type: "fault", tier, code, cause, request });
};
