/** `postern rollback`: returns all requests of a tier's Workers to an earlier version that was not taken back. */
import {
  changedSecretsIn,
  isOnlyGeneratedChanged,
  secretsChangedCode,
} from "../../../functions/control/model/changed-secrets.ts";
import { isOver } from "../../../functions/control/model/rollout.ts";
import { stateOf } from "../../../functions/control/model/rollout-state.ts";
import { compile } from "../../compiler/compile.ts";
import { type Releases, releasesOf, rollbackCandidates, sharesOf } from "../../release/releases.ts";
import { knowledgeText, type RolloutKnowledge, rolloutsIn, rolloutsOf } from "../../release/rollout-knowledge.ts";
import { rollbackMessage, type TakenBack, takenBackText, takenBackVersions } from "../../release/taken-back.ts";
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
  const { root, to } = options;
  const target = targetOf(options.target);
  const env = environmentFor(target, options.env);
  const workers = workersOf(root, env, tier);
  if (to !== undefined && workers.length > 1)
    throw new Error(`${tier} has several Workers (${workers.join(", ")}), whose versions differ; omit --to`);
  const known = await rolloutsOf(root, compile(root, env), target, tier);
  const plans = await Promise.all(
    workers.map(async (worker): Promise<Plan> => {
      const releases = await releasesOf(target, worker);
      if (!releases) throw new Error(`${worker} is not deployed on ${target.name}`);
      const from = sharesOf(releases)[0]?.version_id;
      const takenBack = takenBackVersions(worker, releases, rolloutsIn(known));
      const choice =
        to === undefined
          ? chooseVersion(tier, worker, releases, takenBack, known)
          : namedVersion(worker, releases, takenBack, to);
      return { worker, from, ...choice };
    }),
  );
  for (const { worker, to: version } of plans) await giveAllRequests(tier, worker, version, target, options);
  return {
    exitCode: 0,
    text: [...plans.flatMap(planLines), knowledgeText(known), ...runningLines(tier, known)]
      .map((it) => `${it}\n`)
      .join(""),
    data: { target: target.name, workers: plans, knowledge: knowledgeText(known) },
  };
};

interface Plan {
  readonly worker: string;
  /** The version with the largest share before. */
  readonly from: string | undefined;
  readonly to: string;
  /** Why this version. */
  readonly why: string;
  /** Versions that were passed over, because they were taken back. */
  readonly skipped: readonly { readonly version: string; readonly why: string }[];
}

type Choice = Pick<Plan, "to" | "why" | "skipped">;

/** The newest version that had all requests and was not taken back. @throws if there is none */
const chooseVersion = (
  tier: string,
  worker: string,
  releases: Releases,
  takenBack: ReadonlyMap<string, TakenBack>,
  known: RolloutKnowledge,
): Choice => {
  const isDeployable = (id: string) => releases.versions.some((it) => it.id === id);
  const candidates = rollbackCandidates(worker, releases, rolloutsIn(known)).filter(isDeployable);
  const to = candidates.find((id) => !takenBack.has(id));
  const skipped = candidates
    .slice(0, to === undefined ? candidates.length : candidates.indexOf(to))
    .map((version) => ({ version, why: takenBackText(takenBack.get(version) as TakenBack) }));
  if (to === undefined)
    throw new Error(
      [
        `${worker} has no version to roll back to: ${skipped.length > 0 ? "each that had all requests before was taken back" : "none had all requests before the live one"}`,
        ...skipped.map(skippedLine),
        knowledgeText(known),
        `choose one yourself: npx postern releases ${tier} lists them, npx postern rollback ${tier} --to <version>; or deploy an older manifest`,
      ].join("\n"),
    );
  return { to, why: "the last version before that had all requests and was not taken back", skipped };
};

/** @throws if no version, or several, begin with these digits */
const namedVersion = (
  worker: string,
  { versions }: Releases,
  takenBack: ReadonlyMap<string, TakenBack>,
  requested: string,
): Choice => {
  const matching = versions.filter(({ id }) => id.startsWith(requested));
  const [found] = matching;
  if (!found || matching.length > 1)
    throw new Error(
      `${worker} has ${matching.length === 0 ? "no version" : `${matching.length} versions`} "${requested}"; the newest are ${versions
        .slice(-5)
        .map(({ id }) => id.slice(0, 8))
        .join(", ")}`,
    );
  const before = takenBack.get(found.id);
  return {
    to: found.id,
    why: `--to names it${before ? `, although it was taken back ${takenBackText(before)}` : ""}`,
    skipped: [],
  };
};

const giveAllRequests = async (
  tier: string,
  worker: string,
  version: string,
  target: Target,
  { message, oldSecrets }: RollbackOptions,
): Promise<void> => {
  const commonArguments = ["--name", worker, "-y", "--message", rollbackMessage(message)];
  const withOldSecrets = () => wrangler(target, ["rollback", version, ...commonArguments]);
  if (oldSecrets) return void (await withOldSecrets());
  await wrangler(target, ["versions", "deploy", `${version}@100`, ...commonArguments]).catch((error) => {
    if (!(error instanceof WranglerError) || error.code !== secretsChangedCode) throw error;
    if (isOnlyGeneratedChanged(error.output)) return withOldSecrets();
    throw new Error(
      // The old value may be the leaked one.
      `a secret of ${worker} has changed since ${version.slice(0, 8)} (${changedSecretsIn(error.output).join(", ") || "see above"}); rolling back would restore its old value.\n` +
        `Redeploy the older manifest, which keeps the current secrets: git checkout <commit> routes/${tier}.yaml && npx postern deploy ${tier}\n` +
        "or restore the old values: --old-secrets",
    );
  });
};

const planLines = ({ worker, to, why, skipped }: Plan): string[] => [
  `${worker}: all requests go to ${to.slice(0, 8)}: ${why}`,
  ...skipped.map(skippedLine),
];

const skippedLine = ({ version, why }: Plan["skipped"][number]): string =>
  `  skipped ${version.slice(0, 8)}, taken back ${why}`;

/** A rollback is a deployment, so a rollout pauses. */
const runningLines = (tier: string, known: RolloutKnowledge): string[] => {
  const [last] = rolloutsIn(known) ?? [];
  return last && !isOver(last)
    ? [`rollout ${last.id} by ${last.by} was ${stateOf(last)}; end it: npx postern rollout abort ${tier}`]
    : [];
};
