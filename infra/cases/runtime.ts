/** The workerd process that runs cases. It links every filter and upstream, so that a tier is only JSON to it. */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from "miniflare";
import { bundle } from "../compiler/emit/bundle.ts";
import { moduleOf, partImports } from "../compiler/emit/entries.ts";
import { compatibilityDate, compatibilityFlags } from "../compiler/lower/platform.ts";
import { codeRoot } from "../project/generated-files.ts";
import { kindOf } from "../project/part-names.ts";
import { project } from "../project/project.ts";
import { partModules } from "../project/registry.ts";
import { startWorkerd } from "../terminal/workerd.ts";
import type { Batch, CaseResults, PartLaws } from "./input/batch.ts";

export interface Runtime {
  /** Returns the results of each case, or the error that stopped it. */
  readonly run: (batch: Batch) => Promise<readonly (CaseResults | { readonly failed: string })[]>;
  /** Runs the laws of the project's own parts. */
  readonly laws: () => Promise<readonly PartLaws[]>;
  readonly stop: () => Promise<void>;
}

export const startRuntime = async (): Promise<Runtime> => {
  const script = await bundle(entrySource(), path.join(codeRoot, "functions"), ["cloudflare:*"]);
  const folder = scratchFolder();
  const removeFolder = () => fs.rmSync(folder, { recursive: true, force: true });
  process.on("exit", removeFolder);
  const options = convertV4MiniflareOptions({
    cf: false,
    resourcePersistencePath: folder,
    log: new Log(LogLevel.ERROR),
    // Logs of front and gates are shown with failing cases.
    handleStructuredLogs: () => {},
    modules: [{ type: "ESModule", path: "worker.js", contents: script }],
    compatibilityDate,
    compatibilityFlags: [...compatibilityFlags],
    // Validation differs by tier, and one process serves all tiers, so it is evaluated here. A real gate imports it as a module.
    unsafeEvalBinding: "EVAL",
    durableObjects: { COUNTERS: { className: "Counters", useSQLite: true } },
  });
  const miniflare = startWorkerd(() => new Miniflare(options));
  await miniflare.ready;
  return {
    run: async (batch) => {
      const response = await miniflare.dispatchFetch("http://cases/", { method: "POST", body: JSON.stringify(batch) });
      const text = await response.text();
      if (!response.ok) throw new Error(`the cases of ${batch.tier} could not be run: ${text}`);
      // Replaces random values, so that no secret is shown and results are reproducible.
      const redacted = Object.entries(batch.redactions).reduce(
        (all, [value, name]) => all.replaceAll(value, name),
        text,
      );
      return JSON.parse(redacted) as Awaited<ReturnType<Runtime["run"]>>;
    },
    laws: async () => {
      const response = await miniflare.dispatchFetch("http://cases/laws");
      if (!response.ok) throw new Error(`the laws of own parts could not be tried: ${await response.text()}`);
      return (await response.json()) as PartLaws[];
    },
    stop: async () => {
      await miniflare.dispose();
      process.off("exit", removeFolder);
      removeFolder();
    },
  };
};

/** A temporary folder for state: where `TMPDIR` says, otherwise in memory if possible, which is ten times faster than disk. */
const scratchFolder = (): string => {
  const memory = "/dev/shm";
  const parent = process.env.TMPDIR === undefined && fs.existsSync(memory) ? memory : os.tmpdir();
  return fs.mkdtempSync(path.join(parent, "postern-cases-"));
};

/** The entry of the case Worker, with every filter and upstream. */
const entrySource = (): string => {
  const filters = partImports("filters", Object.keys(partModules.filters));
  const upstreams = partImports("upstreams", Object.keys(partModules.upstreams));
  const presenting = Object.keys(partModules.filters).filter((name) => partModules.filters[name]?.present);
  const present = partImports("filters", presenting, "present");
  const own = ownLaws();
  return `${filters.imports}${present.imports}${upstreams.imports}${own.imports}import { cutover } from "./gateway/service/cutover";
import { limiter } from "./gateway/limits/store-counter";
import { streamAge } from "./gateway/streaming/max-age";
import { watchBodies } from "./gateway/streaming/watched-body";
import { webSocketAge } from "./gateway/streaming/websocket-age";
import { Counters, worker } from "../infra/cases/worker/worker";
export { Counters };
export default worker({ filters: ${filters.table}, upstreams: ${upstreams.table}, cutover, limiter, streamAge, webSocketAge, watchBodies }, ${present.table}, ${own.argument});
`;
};

/** The laws of own parts need their specs, and so the schema library: only projects that have parts pay for it. */
const ownLaws = (): { readonly imports: string; readonly argument: string } => {
  const { parts } = project().own;
  if (parts.length === 0) return { imports: "", argument: "undefined" };
  const imports = parts.map(
    ({ group, name }, index) => `import * as own_${index} from ${JSON.stringify(moduleOf(group, name))};\n`,
  );
  const list = parts.map(({ group, name }, index) => `["${kindOf(group)}", ${JSON.stringify(name)}, own_${index}]`);
  return {
    imports: `import { tryLaws } from "../infra/cases/worker/own-laws";\n${imports.join("")}`,
    argument: `tryLaws([${list.join(", ")}])`,
  };
};
