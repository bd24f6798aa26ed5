/** `postern releases`: lists the versions of a tier's Workers. */
import pc from "picocolors";
import { digestOf, type Releases, releasesOf, sharesOf } from "../../release/releases.ts";
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
  const workers = workersOf(options.root, environmentFor(target, options.env), tier);
  const found = await Promise.all(
    workers.map(async (worker) => ({ worker, releases: await releasesOf(target, worker) })),
  );
  return {
    exitCode: 0,
    text: found
      .map(({ worker, releases: it }) =>
        it ? releasesText(worker, it) : `${worker} is not deployed on ${target.name}\n`,
      )
      .join("\n"),
    data: {
      target: target.name,
      workers: found.map(({ worker, releases: it }) => ({ worker, ...(it && rowsOf(it)) })),
    },
  };
};

const rowsOf = (it: Releases) => {
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
    })),
  };
};

const releasesText = (worker: string, it: Releases): string => {
  const rows = rowsOf(it)
    .versions.slice(0, maxShown)
    .map(({ id, created, by, digest, why, percentage }) => [
      id.slice(0, 8),
      created.slice(0, 19).replace("T", " "),
      by ?? "",
      digest?.slice(0, 12) ?? "",
      why ?? "",
      percentage === null ? "none" : `${bar(percentage)} ${percentage} %`,
    ]);
  return `${pc.bold(worker)}\n${table(["version", "created (UTC)", "by", "built from", "why", "requests"], rows)}`;
};

/** A dot marks a version at 0 %, which only an override reaches. */
const bar = (percentage: number): string =>
  (percentage === 0 ? "." : "#".repeat(Math.max(1, Math.round((percentage / 100) * barWidth)))).padEnd(barWidth);
