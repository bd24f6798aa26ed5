/** How the platform releases each kind of Worker, and the way back: what `postern deploy` says about a new version. */
import type { Emitted } from "../compiler/emit/emit.ts";
import type { DeployedWorker } from "./deploy-worker.ts";
import { flagsOf, stateName, type Target } from "./target.ts";

/**
 * Only Workers without Durable Objects that take requests of users are released by share. An object has one version at a
 * time, and a version with a new class of objects takes all requests at once.
 */
const releases: Readonly<Record<Exclude<Emitted["kind"], "gate" | "front">, string>> = {
  state: "all at once; its objects restart, and counts and nonces stay",
  feed: "all at once; its objects restart, and gates keep their last overlay meanwhile",
  actuator: "all at once; a split that is under way is tried again",
  control: "all at once; its objects restart, and rollouts continue where they were",
  tail: "all at once; what ends meanwhile may be missing in the counts of deaths",
};

/** @returns a line for each Worker with a new version for everybody; empty if there is none */
export const releaseNotes = (
  results: readonly DeployedWorker[],
  selected: readonly Emitted[],
  environment: string,
  target: Target,
): readonly string[] =>
  results
    .filter(({ what }) => what === "uploaded" || what === "deployed")
    .flatMap(({ worker }) => {
      const it = selected.find((one) => one.worker === worker);
      if (!it || it.kind === "gate" || it.kind === "front") return [];
      return [
        `${worker}: ${releases[it.kind]}; back: npx postern rollback ${it.kind === "state" ? stateName(worker, environment) : it.kind}${flagsOf(target, environment)}`,
      ];
    });
