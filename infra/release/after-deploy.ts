/** What follows an upload: rules that keep users on one version of the front, a check of the control plane, and the way back. */

import type { Compiled } from "../compiler/compile.ts";
import type { Emitted } from "../compiler/emit/emit.ts";
import { versionKeyRules } from "../compiler/emit/version-key-rules.ts";
import { docsPage } from "../project/project.ts";
import { toOneLine } from "../terminal/terminal.ts";
import { type ControlCheck, checkControl } from "./check-control.ts";
import type { DeployedWorker } from "./deploy-worker.ts";
import { releaseNotes } from "./release-kinds.ts";
import type { Target } from "./target.ts";
import { applyVersionKeyRules } from "./version-key-rules.ts";

interface Deployment {
  readonly root: string;
  readonly target: Target;
  /** Share of requests of new versions, in per cent. */
  readonly split: number;
  readonly compiled: Compiled;
  readonly selected: readonly Emitted[];
  readonly results: readonly DeployedWorker[];
}

interface AfterDeploy {
  /** The control plane does not answer. */
  readonly isFailed: boolean;
  readonly text: string;
  readonly data: { readonly control?: ControlCheck; readonly front?: FrontStickiness };
}

export const afterDeploy = async (it: Deployment): Promise<AfterDeploy> => {
  const { root, target, split, compiled, selected, results } = it;
  const control = await checkControl(root, compiled, target, results, selected);
  const front = await keepUsersOnOneFront(it);
  const lines = [
    ...releaseNotes(results, selected, compiled.environment.name, target),
    ...(control ? [checkLine(control)] : []),
    ...(front && !front.sticky && split < 100 ? [stickyLine(front)] : []),
  ];
  return {
    // The address of a new account's control may not exist yet.
    isFailed: control?.ok === false && !results.some(({ what }) => what === "created"),
    text: lines.map((line) => `${line}\n`).join(""),
    data: { ...(control && { control }), ...(front && { front }) },
  };
};

const checkLine = ({ ok, why }: ControlCheck): string =>
  ok
    ? "checked: control, its objects, the feed and the actuator answer"
    : `${ok === null ? "not checked" : "the check failed"}: ${toOneLine(why)}`;

/** Whether the platform keeps a user on one version of the front, and why not. */
export interface FrontStickiness {
  readonly sticky: boolean;
  readonly why?: string;
}

/** @returns undefined if the front is not deployed here */
const keepUsersOnOneFront = async ({
  target,
  compiled: { front, environment },
  selected,
}: Deployment): Promise<FrontStickiness | undefined> => {
  const worker = selected.find(({ kind }) => kind === "front")?.worker;
  if (worker === undefined) return undefined;
  const why = await applyVersionKeyRules(target, versionKeyRules(front, worker, environment.value.front.zones));
  return { sticky: why === undefined, ...(why !== undefined && { why }) };
};

export const stickyLine = ({ why = "" }: FrontStickiness): string =>
  `the front's versions are divided by request and not by user: the zone has no rule for the version key (${toOneLine(why)}); see ${docsPage("docs/gray-release.md#the-front")}`;
