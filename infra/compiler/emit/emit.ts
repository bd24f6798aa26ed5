/** Writes what `wrangler deploy` uploads: a bundle for each set of parts, with a plan and a wrangler configuration for each gate. */
import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { compileModule } from "../../openapi/module.ts";
import { type Compiled, manifestFiles } from "../compile.ts";
import { type Gate, listGates } from "../lower/gates.ts";
import { type Blueprint, controlBlueprints, frontBlueprint, gateBlueprint, stateBlueprints } from "./blueprints.ts";
import { bundle } from "./bundle.ts";
import { versionKeyRules } from "./version-key-rules.ts";

/** The folder of the code that runs at the edge. */
const functionsFolder = path.resolve(import.meta.dirname, "../../../functions");

export interface Emitted {
  readonly kind: Blueprint["kind"];
  /** `gate-wallet`, `postern-front`, `state-shared` … */
  readonly worker: string;
  /** Absolute; it holds the modules and `wrangler.json`. */
  readonly folder: string;
  /** Of a gate. */
  readonly tiers: readonly string[];
  /** Whether the gate serves a single lifted route instead of the tier. */
  readonly lifted: boolean;
  /** The parts that are linked in. */
  readonly parts: readonly string[];
  /** Names of the secrets that it needs. */
  readonly secrets: readonly string[];
  /** Names of secrets that `postern deploy` generates if they are missing, with a separate value for each Worker. */
  readonly generated: readonly string[];
  /** Workers that it has bindings to. */
  readonly uses: readonly string[];
  /** Digest of everything that is uploaded. An equal digest means no upload. */
  readonly digest: string;
  readonly bytes: number;
  /** Compressed size, which counts against the platform's limit. */
  readonly gzipBytes: number;
}

const buildFolder = (root: string, environment: string): string => path.join(root, ".build", environment);

interface EmitOptions {
  /** Emits only this tier; the front and other gates stay as they are. */
  readonly only?: string | undefined;
  /** Writes the front and the shared gate even if tiers are missing. That takes them offline, so only the dev loop uses it. */
  readonly partial?: boolean;
  /** The public key of explain tokens, in place of the environment's. */
  readonly explain?: string;
  /** What was written before: a gate that cannot be bundled now keeps it, so that other tiers are not held up. */
  readonly previous?: readonly Emitted[];
  /** Called with what keeps a gate from being bundled. */
  readonly keptBefore?: (worker: string, error: unknown) => void;
  /** Called with each Worker that is written. */
  readonly emitWorker?: (worker: string) => void;
}

export const emit = async (
  root: string,
  compiled: Compiled,
  {
    only,
    partial = false,
    explain = compiled.environment.value.explain?.key,
    previous = [],
    keptBefore = () => {},
    emitWorker: report = () => {},
  }: EmitOptions = {},
): Promise<Emitted[]> => {
  // With broken shared files, every output would be wrong.
  if (compiled.sharedBroken) return [];
  const folder = buildFolder(root, compiled.environment.name);
  const all = listGates(compiled.tiers);
  const isWaiting = compiled.missingShared.length > 0 && !partial;
  const gates = all
    .filter(({ serves }) => only === undefined || serves.some(({ plan }) => plan.tier === only))
    .filter(({ shared }) => !(shared && isWaiting));
  const bundles = new Map<string, Promise<string>>();
  const bundleOf = ({ entry, external }: Blueprint): Promise<string> => {
    const known = bundles.get(entry) ?? bundle(entry, functionsFolder, external);
    bundles.set(entry, known);
    return known;
  };
  const emitWorker = async (blueprint: Blueprint, ...at: string[]): Promise<Emitted> => {
    const code = await bundleOf(blueprint);
    const it = writeWorker(path.join(folder, ...at), blueprint, code, await checksModule(blueprint));
    report(it.worker);
    return it;
  };
  const emitGate = async (gate: Gate): Promise<Emitted> => {
    const blueprint = gateBlueprint(gate, compiled.environment, explain);
    try {
      return await emitWorker(blueprint, "gates", folderOf(gate.name));
    } catch (error) {
      const known = previous.find(({ worker }) => worker === blueprint.config.name);
      if (!known) throw error;
      keptBefore(known.worker, error);
      return known;
    }
  };
  const emitted = await Promise.all(gates.map(emitGate));
  for (const state of stateBlueprints(gates, compiled.environment.name))
    emitted.push(await emitWorker(state, "state", state.config.name));
  removeOrphans(root, path.join(folder, "gates"), compiled, all);
  writeIfChanged(path.join(folder, "consumers.json"), `${JSON.stringify(compiled.consumers, null, 2)}\n`);
  if (only !== undefined || (compiled.missing.length > 0 && !partial)) return emitted;
  const plane = controlBlueprints(compiled, all);
  emitted.push(...(await Promise.all(plane.map((it) => emitWorker(it, "control", it.kind)))));
  const front = await emitWorker(frontBlueprint(compiled), "front");
  const rules = versionKeyRules(compiled.front, front.worker, compiled.environment.value.front.zones);
  writeIfChanged(path.join(front.folder, "version-key-rules.json"), `${JSON.stringify(rules, null, 2)}\n`);
  return [...emitted, front];
};

const folderOf = (gate: string): string => gate.replace(/^gate-/, "");

/** Empty if there is no validation. */
const checksModule = ({ validations = [] }: Blueprint): Promise<string> | string =>
  validations.length > 0 ? compileModule(validations) : "";

const writeWorker = (folder: string, blueprint: Blueprint, code: string, checks: string): Emitted => {
  const { kind, config, plan, tiers, lifted, parts, secrets, generated } = blueprint;
  const planModule = plan ? planSource(plan) : "";
  writeIfChanged(path.join(folder, config.main), code);
  if (plan) writeIfChanged(path.join(folder, "plan.js"), planModule);
  const checksFile = path.join(folder, "validators.js");
  if (checks === "") fs.rmSync(checksFile, { force: true });
  else writeIfChanged(checksFile, checks);
  const settings = `${JSON.stringify(config, null, 2)}\n`;
  writeIfChanged(path.join(folder, "wrangler.json"), settings);
  const upload = Buffer.from(code + planModule + checks);
  return {
    kind,
    worker: config.name,
    folder,
    tiers,
    lifted,
    parts,
    secrets,
    generated,
    uses: "services" in config ? config.services.map(({ service }) => service) : [],
    digest: createHash("sha256").update(upload).update(settings).digest("hex"),
    bytes: upload.length,
    gzipBytes: gzipSync(upload).length,
  };
};

/** Emits `JSON.parse` of a text: V8 parses it twice as fast as an object literal, and a `__proto__` key cannot set the prototype. */
const planSource = (plan: object): string =>
  `export default JSON.parse('${JSON.stringify(plan).replaceAll(/[\\']/g, "\\$&")}');\n`;

/** Writes a file atomically, unless it has the same content already. */
const writeIfChanged = (file: string, text: string): void => {
  if (fs.existsSync(file) && fs.readFileSync(file, "utf8") === text) return;
  fs.mkdirSync(path.dirname(file), { recursive: true });
  // Write and rename, so that an interrupted run leaves no partial file.
  fs.writeFileSync(`${file}.new`, text);
  fs.renameSync(`${file}.new`, file);
};

/** Deletes the folders of gates that no longer exist. A broken manifest keeps its last valid gates. */
const removeOrphans = (
  root: string,
  folder: string,
  { tiers, missingShared }: Compiled,
  gates: readonly Gate[],
): void => {
  if (!fs.existsSync(folder)) return;
  const currentNames = new Set([
    ...gates.map(({ name }) => folderOf(name)),
    ...(missingShared.length > 0 ? ["shared"] : []),
  ]);
  const compiled = new Set(tiers.map(({ checked }) => checked.manifest.tier));
  const broken = manifestFiles(root)
    .map((file) => path.basename(file, ".yaml"))
    .filter((tier) => !compiled.has(tier));
  for (const name of fs.readdirSync(folder))
    if (!currentNames.has(name) && !broken.some((tier) => name === tier || name.startsWith(`${tier}--`)))
      fs.rmSync(path.join(folder, name), { recursive: true });
};
