/** What the actuator does for control: reads deployments and makes splits, of the Workers on its list, by the platform's public REST API. */

import { fieldsOf, parsed } from "../../gateway/core/json.ts";
import { onlyGeneratedChanged, secretsChanged } from "../model/changed-secrets.ts";
import type { ActuatorPlan } from "../model/plan.ts";
import type { Answer, PlatformFault } from "../model/platform.ts";
import type { Deployment } from "../model/rollout.ts";

export interface World {
  readonly send: (url: string, init: RequestInit) => Promise<Response>;
  readonly token: string;
  readonly timeout: (ms: number) => AbortSignal;
}

const patienceMs = 10_000;
const mostBytes = 16_384;

/** @returns JSON: an answer of the platform, or why there is none; never the token */
export const act = async (request: Request, plan: ActuatorPlan, world: World): Promise<Response> => {
  const verb = new URL(request.url).pathname.slice(1);
  const text = await request.text();
  const { worker, version, versions, message } = fieldsOf(text.length <= mostBytes ? parsed(text) : undefined);
  if (request.method !== "POST" || typeof worker !== "string") return refused(400, "asked for as POST with { worker }");
  if (!plan.workers.includes(worker)) return refused(403, `${worker} is none of the Workers that may be touched`);
  const at = `/workers/scripts/${worker}/deployments`;
  if (verb === "deployments") {
    const answer = await call<{ readonly deployments: readonly Told[] }>(plan, world, at);
    return Response.json(answer.ok ? { ok: true, result: newestFirst(answer.result.deployments) } : answer);
  }
  if (verb === "version") {
    if (typeof version !== "string" || !/^[0-9a-f-]{36}$/.test(version))
      return refused(400, "a version is { worker, version }, by its id");
    const answer = await call<Described>(plan, world, `/workers/scripts/${worker}/versions/${version}`);
    return Response.json(answer.ok ? { ok: true, result: describedVersion(answer.result) } : answer);
  }
  if (verb !== "split") return refused(404, `there is no verb ${verb}; there are deployments, version and split`);
  if (!areShares(versions) || typeof message !== "string" || message.length > 100)
    return refused(400, "a split is { worker, versions: [{ version_id, percentage }], message }");
  const split = { strategy: "percentage", versions, annotations: { "workers/message": message } };
  const answer = await call<Made>(plan, world, at, split);
  const again = !answer.ok && answer.code === secretsChanged && onlyGeneratedChanged(answer.message);
  return Response.json(again ? await call<Made>(plan, world, `${at}?force=true`, split) : answer);
};

interface Made {
  readonly id: string;
}

/** As the platform tells of a deployment. */
interface Told {
  readonly id: string;
  readonly created_on: string;
  readonly author_email?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly versions: Deployment["versions"];
}

interface Described {
  readonly annotations?: Readonly<Record<string, string>>;
}

const describedVersion = ({ annotations }: Described) => ({
  tag: annotations?.["workers/tag"] ?? null,
  message: annotations?.["workers/message"] ?? null,
});

const newestFirst = (all: readonly Told[]): Deployment[] =>
  all
    .toSorted((a, b) => (a.created_on < b.created_on ? 1 : -1))
    .map(({ id, versions, author_email, annotations }) => ({
      id,
      versions,
      message: annotations?.["workers/message"] ?? null,
      author: author_email ?? null,
      trigger: annotations?.["workers/triggered_by"] ?? null,
    }));

const call = async <T>(
  { api, account }: ActuatorPlan,
  { send, token, timeout }: World,
  path: string,
  body?: object,
): Promise<Answer<T>> => {
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  try {
    const response = await send(`${api}/accounts/${account}${path}`, {
      headers,
      // The token is for the platform, and for nobody it points to.
      redirect: "manual",
      signal: timeout(patienceMs),
      ...(body && { method: "POST", body: JSON.stringify(body) }),
    });
    const said = fieldsOf(parsed(await response.text())) as Partial<Envelope<T>>;
    if (response.ok && said.success && said.result !== undefined) return { ok: true, result: said.result };
    const [first] = said.errors ?? [];
    const after = Number(response.headers.get("retry-after"));
    return fault({
      // A success without a result is as good as no answer.
      status: response.ok ? 502 : response.status,
      code: first?.code ?? null,
      message: first?.message ?? `the platform answered ${response.status}`,
      ...(after > 0 && { retryAfterMs: after * 1000 }),
    });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return fault({ status: 0, code: null, message: message.replaceAll(token, "…").slice(0, 300) });
  }
};

interface Envelope<T> {
  readonly success: boolean;
  readonly result: T;
  readonly errors: readonly { readonly code: number; readonly message: string }[];
}

const fault = (it: PlatformFault): { readonly ok: false } & PlatformFault => ({ ok: false, ...it });

const refused = (status: number, message: string): Response => Response.json(fault({ status, code: null, message }));

const areShares = (value: unknown): value is Deployment["versions"] =>
  Array.isArray(value) &&
  value.length >= 1 &&
  value.length <= 2 &&
  value.every((it) => typeof it?.version_id === "string" && typeof it?.percentage === "number");
