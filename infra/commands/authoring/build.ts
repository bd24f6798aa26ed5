/** `postern build`: writes every Worker's bundle, plan and wrangler configuration. */
import path from "node:path";
import pc from "picocolors";
import { type Compiled, compile, manifestFiles } from "../../compiler/compile.ts";
import { type Emitted, emit } from "../../compiler/emit/emit.ts";
import { sharedGate } from "../../compiler/lower/gates.ts";
import { workerName } from "../../compiler/lower/platform.ts";
import { renderProblems } from "../../diagnostics/report.ts";
import { digestOf, releasesOf, sharesOf } from "../../release/releases.ts";
import { assertOwnKeys } from "../../release/sample-keys.ts";
import { targetOf } from "../../release/target.ts";
import type { Outcome } from "../../terminal/outcome.ts";
import { table } from "../../terminal/table.ts";

interface BuildOptions {
  readonly root: string;
  readonly env: string;
  readonly tier?: string | undefined;
}

/** Builds every valid tier, even when others have problems. The front needs all of them. */
export const build = async ({ root, env, tier }: BuildOptions): Promise<Outcome> => {
  if (process.env.WRANGLER_COMMAND === "deploy") await refuseToReplaceFront(env);
  const compiled = compile(root, env);
  if (process.env.WRANGLER_COMMAND === "deploy") assertOwnKeys(root, compiled.environment);
  const files = manifestFiles(root);
  if (tier !== undefined && !files.includes(`routes/${tier}.yaml`))
    throw new Error(`there is no routes/${tier}.yaml; there are ${files.join(", ")}`);
  const emitted = await emit(root, compiled, { only: tier });
  // Problems of the tier itself, and of files that all tiers share.
  const others = files.filter((file) => file !== `routes/${tier}.yaml`);
  const ownProblems =
    tier === undefined ? compiled.problems : compiled.problems.filter(({ file }) => !others.includes(file));
  return {
    exitCode: ownProblems.length > 0 ? 1 : 0,
    text: [
      formatWorkers(root, emitted),
      notWritten(compiled, tier),
      ownProblems.length > 0 ? renderProblems(ownProblems, compiled) : "",
    ]
      .filter(Boolean)
      .join("\n"),
    data: {
      environment: env,
      workers: emitted.map((it) => ({ ...it, folder: path.relative(root, it.folder) })),
      problems: ownProblems,
    },
  };
};

/** A bare `wrangler deploy` of the root's configuration would replace a front that has gates by one without. */
const refuseToReplaceFront = async (env: string): Promise<void> => {
  const front = workerName("postern-front", env);
  // A caller without permission cannot deploy either. Wrangler reports that itself.
  const releases = await releasesOf(targetOf("cloudflare"), front).catch(() => undefined);
  const [live] = releases ? sharesOf(releases) : [];
  if (releases && live && digestOf(releases, live.version_id) !== undefined)
    throw new Error(
      `${front} is deployed with its gates, and a bare wrangler deploy would disconnect them; run npx postern deploy front`,
    );
};

/** Notes for the requested Workers alone. */
const notWritten = ({ missing, missingShared, tiers }: Compiled, only: string | undefined): string => {
  const shares = tiers.some(
    ({ checked: { manifest } }) => manifest.isolation === "shared" && (only === undefined || manifest.tier === only),
  );
  const note = (what: string, files: readonly string[]) =>
    files.length > 0 ? `${what} is not written, because it would lose the tier of ${files.join(", ")}\n` : "";
  return note(sharedGate, shares ? missingShared : []) + note("the front", only === undefined ? missing : []);
};

const formatWorkers = (root: string, emitted: readonly Emitted[]): string => {
  const rows = emitted.map(({ worker, tiers, parts, bytes, gzipBytes, folder }) => [
    worker,
    kib(bytes),
    kib(gzipBytes),
    tiers.join(" "),
    parts.join(" "),
    path.relative(root, folder),
  ]);
  return table(["worker", "size", "gzip", "tiers", "parts", "folder"], rows).replace(/^.*\n/, (head) => pc.bold(head));
};

const kib = (bytes: number): string => `${(bytes / 1024).toFixed(1)} KiB`.padStart(9);
