/** The share that the platform really runs, beside the one that was decided. */
import type { LiveSplit } from "../../../functions/control/model/platform.ts";
import type { Rollout } from "../../../functions/control/model/rollout.ts";
import { shareOf } from "../../../functions/control/model/rollout-state.ts";
import type { ControlClient } from "../../release/control-client.ts";
import { toOneLine } from "../../terminal/terminal.ts";

/** What the platform runs of each of the tier's Workers; null if control, or its object, is older than this command, or does not answer now. */
export const readLive = (client: ControlClient, path: string): Promise<readonly LiveSplit[] | null> =>
  client.call<readonly LiveSplit[]>("GET", `${path}/live`).catch(() => null);

/** The canary's decided share, in per cent; null if nothing is decided any more, because others deployed. */
export const decidedShare = (it: Rollout): number | null => (it.status === "left" ? null : shareOf(it));

export interface ShownShare {
  /** The canary's share, in per cent: the platform's if it is known, else the decided one. */
  readonly share: number;
  /** As `20 % (decided: 50 %)`. */
  readonly text: string;
  /** What else the platform runs, as sentences. */
  readonly notes: readonly string[];
}

export const shownShare = (it: Rollout, live: readonly LiveSplit[] | null): ShownShare => {
  const decided = decidedShare(it);
  const [main] = it.subjects;
  const liveOf = (worker: string) => live?.find((one) => one.worker === worker);
  const shareIn = (split: LiveSplit | undefined, version: string) =>
    split?.versions?.find(({ version_id }) => version_id === version)?.percentage ?? 0;
  const known = it.subjects.filter(({ worker }) => liveOf(worker)?.versions);
  const notes = it.subjects.flatMap((subject) => otherVersions(subject, liveOf(subject.worker)));
  // Workers of a tier change one after another.
  const shares = known.map((subject) => shareIn(liveOf(subject.worker), subject.canary));
  const share = main && known.includes(main) ? (shares[0] ?? 0) : (decided ?? 0);
  const isAsDecided = decided === null || shares.every((one) => one === decided);
  const others = new Set(shares).size > 1 ? ` in ${main?.worker}` : "";
  return { share, text: `${share} %${others}${isAsDecided ? "" : ` (decided: ${decided} %)`}`, notes };
};

/** What a Worker runs that is neither of the rollout's versions. */
const otherVersions = ({ stable, canary }: Rollout["subjects"][number], split: LiveSplit | undefined): string[] => {
  if (!split) return [];
  if (!split.versions) return [`${split.worker}: the platform does not answer (${toOneLine(split.fault ?? "")})`];
  const others = split.versions.filter(({ version_id }) => version_id !== stable && version_id !== canary);
  if (others.length === 0) return [];
  const list = others.map(({ version_id, percentage }) => `${version_id.slice(0, 8)} at ${percentage} %`).join(", ");
  const by = [split.author, split.message]
    .filter((it) => it !== null)
    .map(toOneLine)
    .join(": ");
  return [`${split.worker} runs another version: ${list}${by ? `, deployed by ${by}` : ""}`];
};
