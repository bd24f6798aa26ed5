/** The actuator's calls to the platform's REST API: reads deployments and versions and creates splits, only for the Workers on its list. */

import { fieldsOf, parsed } from "../../gateway/core/json.ts";
import { isOnlyGeneratedChanged, secretsChangedCode } from "../model/changed-secrets.ts";
import type { ActuatorPlan } from "../model/plan.ts";
import type { PlatformAnswer, PlatformFailure } from "../model/platform.ts";
import type { Deployment } from "../model/rollout.ts";

export interface ActuatorPorts {
  readonly send: (url: string, init: RequestInit) => Promise<Response>;
  readonly token: string;
  readonly timeout: (ms: number) => AbortSignal;
}

const timeoutMs = 10_000;
const maxBodyChars = 16_384;

/** @returns JSON: the platform's answer or the reason why there is none; never contains the token */
export const handleActuatorCall = async (
  request: Request,
  plan: ActuatorPlan,
  ports: ActuatorPorts,
): Promise<Response> => {
  const operation = new URL(request.url).pathname.slice(1);
  const text = await request.text();
  const { worker, version, versions, message } = fieldsOf(text.length <= maxBodyChars ? parsed(text) : undefined);
  if (request.method !== "POST" || typeof worker !== "string") return refuse(400, "send a POST with { worker }");
  if (!plan.workers.includes(worker)) return refuse(403, `the actuator may not change ${worker}`);
  const path = `/workers/scripts/${worker}/deployments`;
  if (operation === "deployments") {
    const answer = await callPlatform<{ readonly deployments: readonly PlatformDeployment[] }>(plan, ports, path);
    return Response.json(answer.ok ? { ok: true, result: newestFirst(answer.result.deployments) } : answer);
  }
  if (operation === "version") {
    if (typeof version !== "string" || !/^[0-9a-f-]{36}$/.test(version))
      return refuse(400, "a version is requested as { worker, version } with the version's id");
    const answer = await callPlatform<PlatformVersion>(plan, ports, `/workers/scripts/${worker}/versions/${version}`);
    return Response.json(answer.ok ? { ok: true, result: versionDetails(answer.result) } : answer);
  }
  if (operation !== "split")
    return refuse(404, `there is no operation ${operation}; operations are deployments, version and split`);
  if (!isSplit(versions) || typeof message !== "string" || message.length > 100)
    return refuse(400, "a split is requested as { worker, versions: [{ version_id, percentage }], message }");
  const split = { strategy: "percentage", versions, annotations: { "workers/message": message } };
  const answer = await callPlatform<CreatedDeployment>(plan, ports, path, split);
  const isRetriedWithForce = !answer.ok && answer.code === secretsChangedCode && isOnlyGeneratedChanged(answer.message);
  return Response.json(
    isRetriedWithForce ? await callPlatform<CreatedDeployment>(plan, ports, `${path}?force=true`, split) : answer,
  );
};

interface CreatedDeployment {
  readonly id: string;
}

/** A deployment as the platform's REST API returns it. */
interface PlatformDeployment {
  readonly id: string;
  readonly created_on: string;
  readonly author_email?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly versions: Deployment["versions"];
}

interface PlatformVersion {
  readonly annotations?: Readonly<Record<string, string>>;
}

const versionDetails = ({ annotations }: PlatformVersion) => ({
  tag: annotations?.["workers/tag"] ?? null,
  message: annotations?.["workers/message"] ?? null,
});

const newestFirst = (all: readonly PlatformDeployment[]): Deployment[] =>
  all
    .toSorted((a, b) => (a.created_on < b.created_on ? 1 : -1))
    .map(({ id, versions, author_email, annotations }) => ({
      id,
      versions,
      message: annotations?.["workers/message"] ?? null,
      author: author_email ?? null,
      trigger: annotations?.["workers/triggered_by"] ?? null,
    }));

const callPlatform = async <T>(
  { api, account }: ActuatorPlan,
  { send, token, timeout }: ActuatorPorts,
  path: string,
  body?: object,
): Promise<PlatformAnswer<T>> => {
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  try {
    const response = await send(`${api}/accounts/${account}${path}`, {
      headers,
      // A redirect would send the token to another host.
      redirect: "manual",
      signal: timeout(timeoutMs),
      ...(body && { method: "POST", body: JSON.stringify(body) }),
    });
    const envelope = fieldsOf(parsed(await response.text())) as Partial<Envelope<T>>;
    if (response.ok && envelope.success && envelope.result !== undefined) return { ok: true, result: envelope.result };
    const [first] = envelope.errors ?? [];
    const retryAfterSeconds = Number(response.headers.get("retry-after"));
    return failure({
      // A success without a result counts as a failure.
      status: response.ok ? 502 : response.status,
      code: first?.code ?? null,
      message: first?.message ?? `the platform answered ${response.status}`,
      ...(retryAfterSeconds > 0 && { retryAfterMs: retryAfterSeconds * 1000 }),
    });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return failure({ status: 0, code: null, message: message.replaceAll(token, "…").slice(0, 300) });
  }
};

interface Envelope<T> {
  readonly success: boolean;
  readonly result: T;
  readonly errors: readonly { readonly code: number; readonly message: string }[];
}

const failure = (it: PlatformFailure): { readonly ok: false } & PlatformFailure => ({ ok: false, ...it });

const refuse = (status: number, message: string): Response => Response.json(failure({ status, code: null, message }));

const isSplit = (value: unknown): value is Deployment["versions"] =>
  Array.isArray(value) &&
  value.length >= 1 &&
  value.length <= 2 &&
  value.every((it) => typeof it?.version_id === "string" && typeof it?.percentage === "number");
