/** `postern build` */
import path from "node:path";
import pc from "picocolors";
import { type Compiled, compile, manifestFiles } from "../compiler/compile.ts";
import { type Emitted, emit } from "../compiler/emit.ts";
import { sharedGate } from "../compiler/gates.ts";
import { report } from "../compiler/report.ts";
import { type Outcome, table } from "../outcome.ts";

interface Options {
  readonly root: string;
  readonly env: string;
  readonly tier?: string | undefined;
}

/** A tier that holds is built, whatever the others are like; the front waits for all of them. */
export const build = async ({ root, env, tier }: Options): Promise<Outcome> => {
  const compiled = compile(root, env);
  const files = manifestFiles(root);
  if (tier !== undefined && !files.includes(`routes/${tier}.yaml`))
    throw new Error(`there is no routes/${tier}.yaml; there are ${files.join(", ")}`);
  const emitted = await emit(root, compiled, { only: tier });
  // Of one tier: its own problems, and those of files that all tiers share.
  const others = files.filter((file) => file !== `routes/${tier}.yaml`);
  const own = tier === undefined ? compiled.problems : compiled.problems.filter(({ file }) => !others.includes(file));
  return {
    exitCode: own.length > 0 ? 1 : 0,
    text: [shown(root, emitted), waiting(compiled, tier), own.length > 0 ? report(own, compiled) : ""]
      .filter(Boolean)
      .join("\n"),
    data: {
      environment: env,
      workers: emitted.map((it) => ({ ...it, folder: path.relative(root, it.folder) })),
      problems: own,
    },
  };
};

/** Of those that were asked for. */
const waiting = ({ missing, missingShared, tiers }: Compiled, only: string | undefined): string => {
  const shares = tiers.some(
    ({ checked: { manifest } }) => manifest.isolation === "shared" && (only === undefined || manifest.tier === only),
  );
  const told = (what: string, files: readonly string[]) =>
    files.length > 0 ? `${what} is not written: it would forget the tier of ${files.join(", ")}\n` : "";
  return told(sharedGate, shares ? missingShared : []) + told("the front", only === undefined ? missing : []);
};

const shown = (root: string, emitted: readonly Emitted[]): string => {
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
