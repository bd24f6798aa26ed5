/** `postern rollback`: returns all requests of a tier's Workers to an earlier version. */
import {
  changedSecretsIn,
  isOnlyGeneratedChanged,
  secretsChangedCode,
} from "../../../functions/control/model/changed-secrets.ts";
import { type Releases, releasesOf, rollbackTarget, sharesOf } from "../../release/releases.ts";
import { environmentFor, type Target, targetOf, workersOf } from "../../release/target.ts";
import { WranglerError, wrangler } from "../../release/wrangler.ts";
import type { Outcome } from "../../terminal/outcome.ts";

interface RollbackOptions {
  readonly root: string;
  readonly env?: string | undefined;
  readonly target: string | Target;
  readonly to?: string | undefined;
  readonly oldSecrets?: true | undefined;
  readonly message?: string | undefined;
}

export const rollback = async (tier: string, options: RollbackOptions): Promise<Outcome> => {
  const target = targetOf(options.target);
  const workers = workersOf(options.root, environmentFor(target, options.env), tier);
  if (options.to !== undefined && workers.length > 1)
    throw new Error(`${tier} has several Workers (${workers.join(", ")}), whose versions differ; omit --to`);
  const plans = await Promise.all(
    workers.map(async (worker) => {
      const releases = await releasesOf(target, worker);
      if (!releases) throw new Error(`${worker} is not deployed on ${target.name}`);
      return { worker, from: sharesOf(releases)[0]?.version_id, to: rollbackVersion(worker, releases, options.to) };
    }),
  );
  const message = options.message ?? "postern rollback";
  for (const { worker, to } of plans) {
    const commonArguments = ["--name", worker, "-y", "--message", message];
    const withOldSecrets = () => wrangler(target, ["rollback", to, ...commonArguments]);
    if (options.oldSecrets) await withOldSecrets();
    else
      await wrangler(target, ["versions", "deploy", `${to}@100`, ...commonArguments]).catch((error) => {
        if (!(error instanceof WranglerError) || error.code !== secretsChangedCode) throw error;
        if (isOnlyGeneratedChanged(error.output)) return withOldSecrets();
        throw new Error(
          // The old value may be the leaked one.
          `a secret of ${worker} has changed since ${to.slice(0, 8)} (${changedSecretsIn(error.output).join(", ") || "see above"}); rolling back would restore its old value.\n` +
            `Redeploy the older manifest, which keeps the current secrets: git checkout <commit> routes/${tier}.yaml && npx postern deploy ${tier}\n` +
            "or restore the old values: --old-secrets",
        );
      });
  }
  return {
    exitCode: 0,
    text: plans.map(({ worker, to }) => `${worker}: all requests go to ${to.slice(0, 8)}\n`).join(""),
    data: { target: target.name, workers: plans },
  };
};

const rollbackVersion = (worker: string, releases: Releases, requestedVersion: string | undefined): string => {
  if (requestedVersion === undefined) {
    const found = rollbackTarget(releases);
    if (found === undefined) throw new Error(`${worker} has no version before the live one`);
    return found;
  }
  const matching = releases.versions.filter(({ id }) => id.startsWith(requestedVersion));
  const [found] = matching;
  if (!found || matching.length > 1)
    throw new Error(
      `${worker} has ${matching.length === 0 ? "no version" : `${matching.length} versions`} "${requestedVersion}"; the newest are ${releases.versions
        .slice(-5)
        .map(({ id }) => id.slice(0, 8))
        .join(", ")}`,
    );
  return found.id;
};
