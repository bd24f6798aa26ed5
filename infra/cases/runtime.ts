/** Runs cases in workerd: one process for all of them, with every part linked in, so that a tier is only JSON to it. */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from "miniflare";
import { filters as modules } from "../../functions/filters/registry.gen.ts";
import { bundle } from "../compiler/emit/bundle.ts";
import { partImports } from "../compiler/emit/entries.ts";
import { compatibilityDate, compatibilityFlags } from "../compiler/lower/platform.ts";
import { codeRoot } from "../project/generated-files.ts";
import { registry } from "../project/registry.ts";
import { startWorkerd } from "../terminal/workerd.ts";
import type { Batch, CaseResults } from "./input/batch.ts";

export interface Runtime {
  /** What came of each case; where one could not be tried to its end, why. */
  readonly run: (batch: Batch) => Promise<readonly (CaseResults | { readonly failed: string })[]>;
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
    // What the front and the gates log is told with the case that fails.
    handleStructuredLogs: () => {},
    modules: [{ type: "ESModule", path: "worker.js", contents: script }],
    compatibilityDate,
    compatibilityFlags: [...compatibilityFlags],
    // Checks of requests differ by tier, and no process is started for one. A gate has them as a module, and no eval.
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
      // So that no secret is shown, and what is told is the same in each run.
      const redacted = Object.entries(batch.redactions).reduce(
        (all, [value, name]) => all.replaceAll(value, name),
        text,
      );
      return JSON.parse(redacted) as Awaited<ReturnType<Runtime["run"]>>;
    },
    stop: async () => {
      await miniflare.dispose();
      process.off("exit", removeFolder);
      removeFolder();
    },
  };
};

/** State writes to a disk and waits for it; one in memory makes that ten times faster, where the machine has one. */
const scratchFolder = (): string => {
  const memory = "/dev/shm";
  return fs.mkdtempSync(path.join(fs.existsSync(memory) ? memory : os.tmpdir(), "postern-cases-"));
};

/** As the entry of a gate that uses every part there is. */
const entrySource = (): string => {
  const filters = partImports("filters", Object.keys(registry.filters));
  const upstreams = partImports("upstreams", Object.keys(registry.upstreams));
  const presenting = Object.keys(modules).filter((name) => modules[name]?.present);
  const present = partImports("filters", presenting, "present");
  return `${filters.imports}${present.imports}${upstreams.imports}import { cutover } from "./gateway/service/cutover.ts";
import { limiter } from "./gateway/limits/store-counter.ts";
import { streamAge } from "./gateway/streaming/max-age.ts";
import { Counters, worker } from "../infra/cases/worker/worker.ts";
export { Counters };
export default worker({ filters: ${filters.table}, upstreams: ${upstreams.table}, cutover, limiter, streamAge }, ${present.table});
`;
};
