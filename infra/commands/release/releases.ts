/** `postern releases`: lists the versions of a tier's Workers. */
import pc from "picocolors";
import { compile } from "../../compiler/compile.ts";
import { digestOf, type Releases, releasesOf, sharesOf } from "../../release/releases.ts";
import { knowledgeText, rolloutsIn, rolloutsOf } from "../../release/rollout-knowledge.ts";
import { type TakenBack, takenBackText, takenBackVersions } from "../../release/taken-back.ts";
import { environmentFor, type Target, targetOf, workersOf } from "../../release/target.ts";
import type { Outcome } from "../../terminal/outcome.ts";
import { table } from "../../terminal/table.ts";

interface ReleasesOptions {
  readonly root: string;
  readonly env?: string | undefined;
  readonly target: string | Target;
}

/** Versions that are shown; `--json` has all that the platform returns. */
const maxShown = 10;
const barWidth = 10;

export const releases = async (tier: string, options: ReleasesOptions): Promise<Outcome> => {
  const target = targetOf(options.target);
  const env = environmentFor(target, options.env);
  const workers = workersOf(options.root, env, tier);
  const known = await rolloutsOf(options.root, compile(options.root, env), target, tier);
  const found = await Promise.all(
    workers.map(async (worker) => {
      const it = await releasesOf(target, worker);
      return { worker, rows: it && rowsOf(it, takenBackVersions(worker, it, rolloutsIn(known))) };
    }),
  );
  const isAnyTakenBack = found.some(({ rows }) => rows?.versions.some(({ takenBack }) => takenBack !== null));
  return {
    exitCode: 0,
    text:
      found
        .map(({ worker, rows }) =>
          rows ? releasesText(worker, rows) : `${worker} is not deployed on ${target.name}\n`,
        )
        .join("\n") + (isAnyTakenBack ? `${knowledgeText(known)}\n` : ""),
    data: { target: target.name, workers: found.map(({ worker, rows }) => ({ worker, ...rows })) },
  };
};

const rowsOf = (it: Releases, takenBack: ReadonlyMap<string, TakenBack>) => {
  const shares = new Map(sharesOf(it).map(({ version_id, percentage }) => [version_id, percentage]));
  return {
    versions: it.versions.toReversed().map(({ id, number, metadata, annotations }) => ({
      id,
      number,
      created: metadata.created_on,
      by: metadata.author_email ?? null,
      digest: digestOf(it, id) ?? null,
      why: annotations?.["workers/message"] ?? annotations?.["workers/triggered_by"] ?? null,
      percentage: shares.get(id) ?? null,
      takenBack: shares.has(id) ? null : (takenBack.get(id) ?? null),
    })),
  };
};

const releasesText = (worker: string, { versions }: ReturnType<typeof rowsOf>): string => {
  const shown = versions.slice(0, maxShown);
  const rows = shown.map(({ id, created, by, digest, why, percentage, takenBack }) => [
    id.slice(0, 8),
    created.slice(0, 19).replace("T", " "),
    by ?? "",
    digest?.slice(0, 12) ?? "",
    why ?? "",
    percentage === null ? (takenBack ? "none, taken back" : "none") : `${bar(percentage)} ${percentage} %`,
  ]);
  const reasons = shown.flatMap(({ id, takenBack }) =>
    takenBack ? [`${id.slice(0, 8)} was taken back ${takenBackText(takenBack)}\n`] : [],
  );
  const head = ["version", "created (UTC)", "by", "built from", "why", "requests"];
  return `${pc.bold(worker)}\n${table(head, rows)}${reasons.join("")}`;
};

/** A dot marks a version at 0 %, which only an override reaches. */
const bar = (percentage: number): string =>
  (percentage === 0 ? "." : "#".repeat(Math.max(1, Math.round((percentage / 100) * barWidth)))).padEnd(barWidth);
