/** The scope of an approval: everything that will run when a second person approves, so that nothing else is released. */
import type { Candidate, Rollout, Subject } from "./rollout.ts";
import type { Wave } from "./wave.ts";

export interface Proposal {
  readonly id: string;
  readonly until: number;
  readonly by: string;
  /** The proposer's public key. If the operator has another key now, the proposal is void. */
  readonly key: string;
  readonly tier: string;
  readonly what: string;
  readonly body: string;
}

/** Stored in a proposal's body. The object that runs the command checks it again after the approval. */
export interface ApprovalScope {
  /** The versions of each Worker to release. A version is immutable: code, plan and bindings. */
  readonly versions: readonly Candidate[];
  /** The commit that the new version was built from, if the operator named one. */
  readonly commit: string | null;
  /** For a rollout's command: the rollout's position when it was proposed. */
  readonly rollout?: RolloutPosition | undefined;
  /** For a promotion: which evidence is missing, as a sentence. */
  readonly warning?: string | undefined;
  /** For a wave's command: the wave's position when it was proposed. */
  readonly wave?: WavePosition | undefined;
}

export interface RolloutPosition {
  readonly id: string;
  /** Index in the rollout's steps. */
  readonly step: number;
  readonly status: Rollout["status"];
  /** Sequence number of the goal. Detects a rollout that was resumed meanwhile and is paused at the same step for another reason. */
  readonly seq: number;
  /** Deployments of someone else, which the command overwrites. Absent if there are none. */
  readonly overwrites?: readonly string[] | undefined;
  /** How many failures it has alerted of. Absent in proposals of an earlier release. */
  readonly alerts?: number | undefined;
}

export interface WavePosition {
  readonly id: string;
  readonly status: Wave["status"];
  /** Failed tiers: `resume` skips these and no others. */
  readonly failed: readonly string[];
  /** Time of the last command by a person, in milliseconds since the epoch; 0 if there was none. */
  readonly commandedAt: number;
}

export const positionOf = ({
  id,
  step,
  status,
  goal: { seq },
  foreign,
  known,
  alerts = [],
}: Rollout): RolloutPosition => ({
  id,
  step,
  status,
  seq,
  ...(foreign && { overwrites: Object.values(known) }),
  alerts: alerts.length,
});

export const wavePositionOf = ({ id, status, members, notes }: Wave): WavePosition => ({
  id,
  status,
  failed: members.filter(({ place }) => place === "failed").map(({ tier }) => tier),
  commandedAt: notes.findLast(({ by }) => by !== undefined)?.at ?? 0,
});

/** @returns why the rollout is no longer as approved; undefined if it is */
export const rolloutMismatch = (approved: RolloutPosition, it: Rollout): string | undefined => {
  if (approved.id !== it.id) return "another rollout has been started since";
  if (approved.step !== it.step || approved.status !== it.status)
    return `rollout ${it.id} has changed since: it is ${it.status} at step ${it.step + 1}, not ${approved.status} at step ${approved.step + 1}`;
  if (approved.seq !== it.goal.seq) return `rollout ${it.id} has been resumed since`;
  const { overwrites = [], alerts = 0 } = positionOf(it);
  // A paused rollout keeps its step and its goal, whatever happens to it.
  if (overwrites.some((deployment) => !approved.overwrites?.includes(deployment)))
    return `${it.why}, which nobody approved to overwrite`;
  if (alerts > (approved.alerts ?? alerts)) return `the new version of rollout ${it.id} fails since`;
  return undefined;
};

/** @returns why the wave is no longer as approved; undefined if it is */
export const waveMismatch = (approved: WavePosition, it: Wave): string | undefined => {
  if (approved.id !== it.id) return "another wave has been started since";
  const now = wavePositionOf(it);
  if (now.status !== approved.status || now.failed.join() !== approved.failed.join())
    return `wave ${it.id} has changed since: it is ${it.status}`;
  if (now.commandedAt !== approved.commandedAt) return `wave ${it.id} has received another command since`;
  return undefined;
};

/** @returns the first Worker whose versions differ from the approved ones; undefined if none does */
export const versionMismatch = (approved: readonly Subject[], now: readonly Subject[]): string | undefined => {
  const key = ({ stable, canary }: Subject) => `${stable} ${canary}`;
  const expected = new Map(approved.map((it) => [it.worker, key(it)]));
  const other = now.find((it) => expected.get(it.worker) !== key(it));
  if (other) return `${other.worker} has version ${other.canary.slice(0, 8)} to be released now`;
  const withoutRelease = approved.find(({ worker }) => !now.some((it) => it.worker === worker));
  return withoutRelease && `${withoutRelease.worker} has nothing to be released now`;
};

/** SHA-256 over a proposal's content, in hexadecimal digits. The approver sends it back. */
export const fingerprintOf = async ({ tier, what, by, body }: Omit<Proposal, "key">): Promise<string> => {
  const text = JSON.stringify([tier, what, by, body]);
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, "0")).join("");
};

/** The scope as text: a line for each version, the commit and the position. Shown before an approval. */
export const scopeLines = ({ versions, commit, rollout, warning, wave }: ApprovalScope): string[] => [
  ...versions.map(
    ({ worker, stable, canary, tag, message, again }) =>
      `${worker}: ${stable.slice(0, 8)} -> ${canary.slice(0, 8)}${tag ? `, digest ${tag}` : ""}${message ? `: ${message}` : ""}${again ? ` (${again})` : ""}`,
  ),
  ...(commit === null ? [] : [`commit ${commit}`]),
  ...(rollout ? [`rollout ${rollout.id}, ${rollout.status} at step ${rollout.step + 1}`] : []),
  ...(warning === undefined ? [] : [warning]),
  ...(wave
    ? [`wave ${wave.id}, ${wave.status}${wave.failed.length > 0 ? `; failed: ${wave.failed.join(", ")}` : ""}`]
    : []),
];
