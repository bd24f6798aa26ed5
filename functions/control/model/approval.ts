/** What a second person approves: it names all that will run, so that nothing else is released in its name. */
import type { Candidate, Rollout, Subject } from "./rollout.ts";
import type { Wave } from "./wave.ts";

export interface Proposal {
  readonly id: string;
  readonly until: number;
  readonly by: string;
  /** The public key that it was asked for with: it is that person's who holds it now no more, where that is another. */
  readonly key: string;
  readonly tier: string;
  readonly what: string;
  readonly body: string;
}

/** Kept in a proposal's body. Control checks it again when the proposal is approved, in the object that acts. */
export interface ApprovalScope {
  /** Versions of each Worker that is to be released. A version is code, plan and bindings, and never changes. */
  readonly versions: readonly Candidate[];
  /** That the new version was built from, where the operator named one. */
  readonly commit: string | null;
  /** Of a command: the rollout, and where it stood. */
  readonly rollout?: RolloutPosition | undefined;
  /** Of a wave's command: the wave, and where it stood. */
  readonly wave?: WavePosition | undefined;
}

export interface RolloutPosition {
  readonly id: string;
  /** Index in its steps. */
  readonly step: number;
  readonly status: Rollout["status"];
  /** Of its goal. A rollout that was resumed meanwhile may stand at the same step again, paused for another reason. */
  readonly seq: number;
}

export interface WavePosition {
  readonly id: string;
  readonly status: Wave["status"];
  /** Tiers that had failed: `resume` goes on past these, and past no other. */
  readonly failed: readonly string[];
  /** When a person last commanded it, in milliseconds since the epoch; 0 where nobody has. */
  readonly commandedAt: number;
}

export const positionOf = ({ id, step, status, goal: { seq } }: Rollout): RolloutPosition => ({
  id,
  step,
  status,
  seq,
});

export const wavePositionOf = ({ id, status, members, notes }: Wave): WavePosition => ({
  id,
  status,
  failed: members.filter(({ place }) => place === "failed").map(({ tier }) => tier),
  commandedAt: notes.findLast(({ by }) => by !== undefined)?.at ?? 0,
});

/** @returns why it is not what was approved; undefined where it is */
export const rolloutMismatch = (approved: RolloutPosition, it: Rollout): string | undefined => {
  if (approved.id !== it.id) return "another rollout has been started since";
  if (approved.step !== it.step || approved.status !== it.status)
    return `rollout ${it.id} has gone on since: it is ${it.status} at step ${it.step + 1}, not ${approved.status} at step ${approved.step + 1}`;
  if (approved.seq !== it.goal.seq) return `rollout ${it.id} has been resumed since`;
  return undefined;
};

/** @returns as `movedOn` does, of a wave */
export const waveMismatch = (approved: WavePosition, it: Wave): string | undefined => {
  if (approved.id !== it.id) return "another wave has been started since";
  const now = wavePositionOf(it);
  if (now.status !== approved.status || now.failed.join() !== approved.failed.join())
    return `wave ${it.id} has gone on since: it is ${it.status}`;
  if (now.commandedAt !== approved.commandedAt) return `somebody has commanded wave ${it.id} since`;
  return undefined;
};

/** @returns the first Worker whose versions are not those that were approved; undefined where all are */
export const versionMismatch = (approved: readonly Subject[], now: readonly Subject[]): string | undefined => {
  const key = ({ stable, canary }: Subject) => `${stable} ${canary}`;
  const expected = new Map(approved.map((it) => [it.worker, key(it)]));
  const other = now.find((it) => expected.get(it.worker) !== key(it));
  if (other) return `${other.worker} has version ${other.canary.slice(0, 8)} to be released now`;
  const gone = approved.find(({ worker }) => !now.some((it) => it.worker === worker));
  return gone && `${gone.worker} has nothing to be released now`;
};

/** SHA-256 over all that a proposal says, in hexadecimal digits: who approves sends it back. */
export const fingerprintOf = async ({ tier, what, by, body }: Omit<Proposal, "key">): Promise<string> => {
  const text = JSON.stringify([tier, what, by, body]);
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, "0")).join("");
};

/** One line for each version, and where the rollout stood: what people read before they approve. */
export const scopeLines = ({ versions, commit, rollout, wave }: ApprovalScope): string[] => [
  ...versions.map(
    ({ worker, stable, canary, tag, message }) =>
      `${worker}: ${stable.slice(0, 8)} -> ${canary.slice(0, 8)}${tag ? `, digest ${tag}` : ""}${message ? `: ${message}` : ""}`,
  ),
  ...(commit === null ? [] : [`commit ${commit}`]),
  ...(rollout ? [`rollout ${rollout.id}, ${rollout.status} at step ${rollout.step + 1}`] : []),
  ...(wave
    ? [`wave ${wave.id}, ${wave.status}${wave.failed.length > 0 ? `; failed: ${wave.failed.join(", ")}` : ""}`]
    : []),
];
