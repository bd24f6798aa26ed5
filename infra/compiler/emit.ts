/** Writes what `wrangler deploy` uploads: one bundle a shape, and for each tier its plan and its wrangler configuration beside a copy of it. */
import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { gzipSync } from "node:zlib";
import type { Plan } from "../../functions/gateway/plan.ts";
import { bundle } from "./bundle.ts";
import { type Compiled, manifestFiles } from "./compile.ts";
import { type StateConfig, stateConfig, stateWorkers } from "./state.ts";
import { type FrontConfig, frontConfig, gateConfig } from "./wrangler.ts";

/** Where the code that runs at the edge stands. */
const functions = path.resolve(import.meta.dirname, "../../functions");

export interface Emitted {
  readonly kind: "front" | "gate" | "state";
  /** `gate-wallet`, `postern-front`, `state-shared` … */
  readonly worker: string;
  /** Absolute; it holds the modules and `wrangler.json`. */
  readonly folder: string;
  readonly tier?: string;
  /** The parts that are linked in. */
  readonly parts: readonly string[];
  /** Of all that is uploaded: the same digest, the same Worker. */
  readonly digest: string;
  readonly bytes: number;
  /** As the platform counts them against its limit. */
  readonly gzipBytes: number;
}

const buildFolder = (root: string, environment: string): string => path.join(root, ".build", environment);

interface Choice {
  /** A tier; all the others and the front stay as they are. */
  readonly only?: string | undefined;
  /** Writes a front that does not know the tiers that are missing. It would take them off the air, so only the dev loop asks for it. */
  readonly partial?: boolean;
}

export const emit = async (
  root: string,
  compiled: Compiled,
  { only, partial = false }: Choice = {},
): Promise<Emitted[]> => {
  // Without the values and keys that all tiers share, nothing that would be written is what was meant.
  if (compiled.sharedBroken) return [];
  const folder = buildFolder(root, compiled.environment.name);
  const gates = compiled.tiers.filter(({ plan }) => only === undefined || plan.tier === only);
  const bundles = new Map<string, Promise<string>>();
  const shapeOf = (entry: string): Promise<string> => {
    const known = bundles.get(entry) ?? bundle(entry, functions, ["cloudflare:*", "./plan.js"]);
    bundles.set(entry, known);
    return known;
  };
  const emitted = await Promise.all(
    gates.map(async ({ checked, plan }) => {
      const config = gateConfig(checked, compiled.environment);
      const code = await shapeOf(gateEntry(plan));
      const parts = partsOf(plan);
      return writeWorker("gate", path.join(folder, "gates", plan.tier), config, code, { plan, parts, tier: plan.tier });
    }),
  );
  const states = stateWorkers(
    gates.map(({ checked }) => checked),
    compiled.environment.name,
  );
  for (const name of states) {
    const code = await bundle(stateEntry, functions, ["cloudflare:*"]);
    emitted.push(writeWorker("state", path.join(folder, "state", name), stateConfig(name), code));
  }
  removeOrphans(root, path.join(folder, "gates"));
  write(path.join(folder, "consumers.json"), `${JSON.stringify(compiled.consumers, null, 2)}\n`);
  if (only !== undefined || (compiled.missing.length > 0 && !partial)) return emitted;
  const config = frontConfig(compiled.front, compiled.environment);
  const code = await bundle(frontEntry, functions, ["./plan.js"]);
  return [...emitted, writeWorker("front", path.join(folder, "front"), config, code, { plan: compiled.front })];
};

const partsOf = (plan: Plan): string[] => [...used(plan.filters), ...used(plan.upstreams)];

const used = (all: Readonly<Record<string, { readonly use: string }>>): string[] =>
  [...new Set(Object.values(all).map(({ use }) => use))].sort();

/** The entry of a shape: two tiers with the same parts have the same one. Only `make` is imported, so no schema comes along. */
const gateEntry = ({ filters, upstreams }: Plan): string => {
  const group = (folder: string, names: readonly string[]) => ({
    imports: names.map((name) => `import { make as ${idOf(folder, name)} } from "./${folder}/${name}.ts";\n`).join(""),
    table: names.map((name) => `${JSON.stringify(name)}: ${idOf(folder, name)}`).join(", "),
  });
  const filter = group("filters", used(filters));
  const upstream = group("upstreams", used(upstreams));
  return `import plan from "./plan.js";
import { gate } from "./gate.ts";
${filter.imports}${upstream.imports}
const { zone, Behind } = gate(plan, { filters: { ${filter.table} }, upstreams: { ${upstream.table} } });
export { Behind };
export default zone;
`;
};

const idOf = (folder: string, name: string): string => `${folder}_${name.replaceAll("-", "_")}`;

const frontEntry = `import plan from "./plan.js";
import { front } from "./front.ts";
export default front(plan);
`;

const stateEntry = `export * from "./state.ts";
export { default } from "./state.ts";
`;

interface Beside {
  readonly plan?: object;
  readonly parts?: readonly string[];
  readonly tier?: string;
}

const writeWorker = (
  kind: Emitted["kind"],
  folder: string,
  config: ReturnType<typeof gateConfig> | FrontConfig | StateConfig,
  code: string,
  { plan, parts = [], tier }: Beside = {},
): Emitted => {
  const planModule = plan ? `export default ${JSON.stringify(plan)};\n` : "";
  write(path.join(folder, config.main), code);
  if (plan) write(path.join(folder, "plan.js"), planModule);
  const settings = `${JSON.stringify(config, null, 2)}\n`;
  write(path.join(folder, "wrangler.json"), settings);
  const whole = Buffer.from(code + planModule);
  return {
    kind,
    worker: config.name,
    folder,
    ...(tier !== undefined && { tier }),
    parts,
    digest: createHash("sha256").update(whole).update(settings).digest("hex"),
    bytes: whole.length,
    gzipBytes: gzipSync(whole).length,
  };
};

/** Leaves a file alone that says the same already. */
const write = (file: string, text: string): void => {
  if (fs.existsSync(file) && fs.readFileSync(file, "utf8") === text) return;
  fs.mkdirSync(path.dirname(file), { recursive: true });
  // Beside and renamed, so that whoever is stopped half way leaves no half a Worker.
  fs.writeFileSync(`${file}.new`, text);
  fs.renameSync(`${file}.new`, file);
};

/** Removes gates whose manifest is gone. A broken manifest keeps its last good gate. */
const removeOrphans = (root: string, gates: string): void => {
  if (!fs.existsSync(gates)) return;
  const tiers = manifestFiles(root).map((file) => path.basename(file, ".yaml"));
  for (const folder of fs.readdirSync(gates))
    if (!tiers.includes(folder)) fs.rmSync(path.join(gates, folder), { recursive: true });
};
