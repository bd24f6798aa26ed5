/** Reports rollouts to GitHub: a deployment of the commit that the version was built from, and its statuses (REST API, 2022-11-28). */

import { fieldsOf, parsed } from "../../gateway/core/json.ts";
import { truncate } from "../model/text.ts";
import {
  type DeliveryFailure,
  type DeliveryResult,
  type HttpCall,
  type HttpPorts,
  type HttpResult,
  httpCall,
} from "./http-call.ts";
import type { Notice } from "./notification.ts";
import type { RolloutData } from "./payloads.ts";

export interface Repository {
  /** `owner/name` */
  readonly name: string;
  /** URL of the REST API without a trailing slash. */
  readonly api: string;
  readonly token: string | undefined;
}

/** Deployments created before, by rollout, so that none is created twice. */
export interface DeploymentStore {
  readonly find: (rollout: string) => number | undefined;
  readonly save: (rollout: string, deployment: number) => void;
}

/** Links shown with a deployment's status. */
export interface StatusLinks {
  readonly environment: string;
  /** The tier's public URL. */
  readonly environmentUrl: string | undefined;
  readonly logUrl: string | undefined;
}

/** GitHub takes 140 characters of a description. */
const maxDescriptionChars = 140;
const maxAnswerBytes = 262_144;

const states = {
  started: "in_progress",
  step: "in_progress",
  watching: "in_progress",
  resumed: "in_progress",
  // The rollout waits for a person.
  waiting: "pending",
  paused: "pending",
  failed: "failure",
  aborted: "failure",
  rolled_back: "failure",
  promoted: "success",
  left: "inactive",
} as const;

type State = (typeof states)[keyof typeof states];

/** @returns undefined if the notice is not sent to GitHub */
export const stateOf = ({ type }: Pick<Notice, "type">): State | undefined =>
  type.startsWith("rollout.") ? states[type.slice("rollout.".length) as keyof typeof states] : undefined;

export const sendStatus = async (
  repository: Repository,
  notice: Pick<Notice, "type" | "data">,
  links: StatusLinks,
  deployments: DeploymentStore,
  http: HttpPorts,
): Promise<DeliveryResult> => {
  const data = notice.data as RolloutData;
  const request = githubClient(repository, http);
  const state = stateOf(notice);
  if (state === undefined || data.commit === null) return { ok: true };
  const deployment = deployments.find(data.rollout) ?? (await deploymentOf(request, data, data.commit, links));
  if (typeof deployment !== "number") return deployment;
  deployments.save(data.rollout, deployment);
  const reply = await request("POST", `/deployments/${deployment}/statuses`, {
    state,
    description: statusDescription(data),
    ...(links.logUrl !== undefined && { log_url: links.logUrl }),
    ...(links.environmentUrl !== undefined && { environment_url: links.environmentUrl }),
  });
  return reply.ok ? { ok: true } : reply;
};

/** Tests whether the token can read the repository's deployments; creates nothing. */
export const testGithub = async (repository: Repository, http: HttpPorts): Promise<DeliveryResult> => {
  const reply = await githubClient(repository, http)("GET", "/deployments?per_page=1");
  return reply.ok ? { ok: true } : reply;
};

/** For a rollout that waits for a person, with the command, which is not cut. */
const statusDescription = ({ share, status, why, next = [], state = status }: RolloutData): string => {
  const [step] = next;
  const command = step && (state === "waiting" || state === "paused") ? `: ${step.command}` : "";
  const isKnown = why.includes(`${share} %`) || (status !== "running" && status !== "paused");
  const text = isKnown ? why : `${share} %: ${why}`;
  return `${truncate(text, maxDescriptionChars - command.length)}${command}`;
};

/** Finds or creates the rollout's deployment. A call whose answer was lost may have created it. */
const deploymentOf = async (
  request: GithubRequest,
  { rollout, tier, reason }: RolloutData,
  commit: string,
  { environment }: StatusLinks,
): Promise<number | DeliveryFailure> => {
  const task = `postern:${rollout}`;
  const found = await request("GET", `/deployments?task=${encodeURIComponent(task)}&per_page=1`);
  if (!found.ok) return found;
  const all = parsed(found.text);
  const known = fieldsOf(Array.isArray(all) ? all[0] : undefined);
  if (typeof known.id === "number") return known.id;
  const created = await request("POST", "/deployments", {
    ref: commit,
    task,
    // Measurement decides what reaches users, not the commit's CI status.
    auto_merge: false,
    required_contexts: [],
    environment: `${environment}/${tier}`,
    production_environment: environment === "production",
    description: truncate(reason, maxDescriptionChars),
    payload: { rollout, tier },
  });
  if (!created.ok) return created;
  const { id } = fieldsOf(parsed(created.text));
  return typeof id === "number" ? id : { ok: false, error: "returned no deployment" };
};

type GithubRequest = (method: HttpCall["method"], path: string, body?: object) => Promise<HttpResult>;

const githubClient =
  ({ name, api, token = "" }: Repository, http: HttpPorts): GithubRequest =>
  async (method, path, body) => {
    if (!/^[!-~]+$/.test(token)) return { ok: false, error: "GITHUB_TOKEN is not a valid token" };
    const headers = {
      authorization: `Bearer ${token}`,
      accept: "application/vnd.github+json",
      "x-github-api-version": "2022-11-28",
      "user-agent": "postern",
      ...(body && { "content-type": "application/json" }),
    };
    const url = `${api}/repos/${name}${path}`;
    const githubCall = { method, url, headers, ...(body && { body: JSON.stringify(body) }) };
    const reply = await httpCall(http, githubCall, maxAnswerBytes, [token]);
    return reply.ok ? reply : withRemedy(reply);
  };

/** Remedies for common mistakes, by status. */
const remedies: Readonly<Record<number, string>> = {
  401: "GITHUB_TOKEN is not valid",
  403: "GITHUB_TOKEN may not write deployments, or has made too many calls",
  404: "no such repository, or GITHUB_TOKEN may not see its deployments",
  422: "the repository has no such commit; push it before the rollout",
};

const withRemedy = (reply: DeliveryFailure): DeliveryFailure => {
  const remedy = reply.status === undefined ? undefined : remedies[reply.status];
  if (remedy === undefined) return reply;
  return { ...reply, error: `${reply.error}: ${remedy}`, ...(reply.status === 422 && { final: "notice" as const }) };
};
