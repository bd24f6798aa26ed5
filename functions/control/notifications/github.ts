/** Tells GitHub of a rollout: a deployment of the commit that its version was built from, and how it stands (REST API, 2022-11-28). */

import { fieldsOf, parsed } from "../../gateway/core/json.ts";
import { type Call, call, type Heard, type Outside, type Replied, type Unheard } from "./http-call.ts";
import { cut, type Notice } from "./notification.ts";
import type { RolloutData } from "./payloads.ts";

export interface Repository {
  /** `owner/name` */
  readonly name: string;
  /** Of the REST API, with no slash at its end. */
  readonly api: string;
  readonly token: string | undefined;
}

/** What was made before, so that it is not made twice. */
export interface Deployments {
  readonly known: (rollout: string) => number | undefined;
  readonly keep: (rollout: string, deployment: number) => void;
}

/** Where a person finds more. */
export interface Places {
  readonly environment: string;
  /** The tier, as its users reach it. */
  readonly environmentUrl: string | undefined;
  readonly logUrl: string | undefined;
}

/** GitHub takes 140 characters of a description. */
const longest = 140;
const mostBytes = 262_144;

const states = {
  started: "in_progress",
  step: "in_progress",
  resumed: "in_progress",
  // It stands still until somebody has looked.
  waiting: "pending",
  paused: "pending",
  failed: "failure",
  aborted: "failure",
  rolled_back: "failure",
  promoted: "success",
  left: "inactive",
} as const;

type State = (typeof states)[keyof typeof states];

/** @returns undefined where the notice is not for GitHub */
export const stateOf = ({ type }: Pick<Notice, "type">): State | undefined =>
  type.startsWith("rollout.") ? states[type.slice("rollout.".length) as keyof typeof states] : undefined;

export const sendStatus = async (
  repository: Repository,
  notice: Pick<Notice, "type" | "data">,
  places: Places,
  deployments: Deployments,
  outside: Outside,
): Promise<Heard> => {
  const data = notice.data as RolloutData;
  const ask = asking(repository, outside);
  const state = stateOf(notice);
  if (state === undefined || data.commit === null) return { ok: true };
  const deployment = deployments.known(data.rollout) ?? (await deploymentOf(ask, data, data.commit, places));
  if (typeof deployment !== "number") return deployment;
  deployments.keep(data.rollout, deployment);
  const reply = await ask("POST", `/deployments/${deployment}/statuses`, {
    state,
    description: describing(data),
    ...(places.logUrl !== undefined && { log_url: places.logUrl }),
    ...(places.environmentUrl !== undefined && { environment_url: places.environmentUrl }),
  });
  return reply.ok ? { ok: true } : reply;
};

/** Whether the token reads the repository's deployments; nothing is made. */
export const testGithub = async (repository: Repository, outside: Outside): Promise<Heard> => {
  const reply = await asking(repository, outside)("GET", "/deployments?per_page=1");
  return reply.ok ? { ok: true } : reply;
};

const describing = ({ share, status, why }: RolloutData): string =>
  cut(status === "running" || status === "paused" ? `${share} % of users: ${why}` : why, longest);

/** The rollout's own, which a call whose answer was lost may have made. */
const deploymentOf = async (
  ask: Ask,
  { rollout, tier, reason }: RolloutData,
  commit: string,
  { environment }: Places,
): Promise<number | Unheard> => {
  const task = `postern:${rollout}`;
  const found = await ask("GET", `/deployments?task=${encodeURIComponent(task)}&per_page=1`);
  if (!found.ok) return found;
  const all = parsed(found.text);
  const known = fieldsOf(Array.isArray(all) ? all[0] : undefined);
  if (typeof known.id === "number") return known.id;
  const made = await ask("POST", "/deployments", {
    ref: commit,
    task,
    // What reaches users is decided by measurement, not by what CI says of the commit.
    auto_merge: false,
    required_contexts: [],
    environment: `${environment}/${tier}`,
    production_environment: environment === "production",
    description: cut(reason, longest),
    payload: { rollout, tier },
  });
  if (!made.ok) return made;
  const { id } = fieldsOf(parsed(made.text));
  return typeof id === "number" ? id : { ok: false, error: "answered no deployment" };
};

type Ask = (method: Call["method"], path: string, body?: object) => Promise<Replied>;

const asking =
  ({ name, api, token = "" }: Repository, outside: Outside): Ask =>
  async (method, path, body) => {
    if (!/^[!-~]+$/.test(token)) return { ok: false, error: "GITHUB_TOKEN is no token" };
    const headers = {
      authorization: `Bearer ${token}`,
      accept: "application/vnd.github+json",
      "x-github-api-version": "2022-11-28",
      "user-agent": "postern",
      ...(body && { "content-type": "application/json" }),
    };
    const url = `${api}/repos/${name}${path}`;
    const it = { method, url, headers, ...(body && { body: JSON.stringify(body) }) };
    const reply = await call(outside, it, mostBytes, [token]);
    return reply.ok ? reply : explained(reply);
  };

/** What people get wrong. */
const remedies: Readonly<Record<number, string>> = {
  401: "GITHUB_TOKEN is not valid",
  403: "GITHUB_TOKEN may not write deployments, or has made too many calls",
  404: "no such repository, or GITHUB_TOKEN may not see its deployments",
  422: "the repository has no such commit; push it before the rollout",
};

const explained = (reply: Unheard): Unheard => {
  const remedy = reply.status === undefined ? undefined : remedies[reply.status];
  if (remedy === undefined) return reply;
  return { ...reply, error: `${reply.error}: ${remedy}`, ...(reply.status === 422 && { final: "notice" as const }) };
};
