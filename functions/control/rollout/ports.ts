/** The ports of the rollout controller: storage, platform, evidence, notices and other effects. */
import type { Finding, Verdict } from "../model/finding.ts";
import type { Platform } from "../model/platform.ts";
import type { Rollout, Stretch } from "../model/rollout.ts";
import type { Notify } from "../notifications/notification.ts";
import type { Stage } from "../verdict/evidence.ts";

export interface RolloutPorts {
  readonly storage: Pick<DurableObjectStorage, "get" | "put" | "setAlarm">;
  readonly platform: Platform;
  readonly evidence: (it: Rollout, stretch: Stretch) => Promise<Stage>;
  readonly judge: (it: Rollout, stages: readonly Stage[]) => Verdict;
  /** Findings of the release's own Prometheus queries. */
  readonly queries: (it: Rollout) => Promise<readonly Finding[]>;
  readonly smoke: (it: Rollout) => Promise<{ readonly ok: boolean; readonly why: string }>;
  /**
   * Gives Workers a new epoch, by which fronts assign their users to versions. Repeating it changes nothing.
   * @throws if the feed does not accept it
   */
  readonly publishEpoch: (workers: readonly string[], epoch: string) => Promise<void>;
  /** Delivers each notice at least once. */
  readonly notify: Notify;
  readonly now: () => number;
  readonly random: () => number;
  readonly uuid: () => string;
}
