/** Writes what `wrangler deploy` uploads: one bundle a shape, and for each tier its plan and its wrangler configuration beside a copy of it. */
import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { compileModule } from "../../openapi/module.ts";
import { type Compiled, manifestFiles } from "../compile.ts";
import { type Gate, listGates } from "../lower/gates.ts";
import { type Blueprint, controlBlueprints, frontBlueprint, gateBlueprint, stateBlueprints } from "./blueprints.ts";
import { bundle } from "./bundle.ts";

/** Where the code that runs at the edge stands. */
const functionsFolder = path.resolve(import.meta.dirname, "../../../functions");

export interface Emitted {
  readonly kind: Blueprint["kind"];
  /** `gate-wallet`, `postern-front`, `state-shared` … */
  readonly worker: string;
  /** Absolute; it holds the modules and `wrangler.json`. */
  readonly folder: string;
  /** Of a gate. */
  readonly tiers: readonly string[];
  /** A gate that serves one route of its tier, and not the tier itself. */
  readonly lifted: boolean;
  /** The parts that are linked in. */
  readonly parts: readonly string[];
  /** Names of those that it is given. */
  readonly secrets: readonly string[];
  /** Names of those that `postern deploy` makes where they are missing; each value is one Worker's own. */
  readonly generated: readonly string[];
  /** Workers that it is bound to. */
  readonly uses: readonly string[];
  /** Of all that is uploaded: the same digest, the same Worker. */
  readonly digest: string;
  readonly bytes: number;
  /** As the platform counts them against its limit. */
  readonly gzipBytes: number;
}

const buildFolder = (root: string, environment: string): string => path.join(root, ".build", environment);

interface EmitOptions {
  /** A tier; all the others and the front stay as they are. */
  readonly only?: string | undefined;
  /** Writes a front and a shared gate without the tiers that are missing. It would take them off the air, so only the dev loop asks for it. */
  readonly partial?: boolean;
  /** The public key of explain tokens, in place of the environment's. */
  readonly explain?: string;
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
    emitWorker: report = () => {},
  }: EmitOptions = {},
): Promise<Emitted[]> => {
  // Without the values and keys that all tiers share, nothing that would be written is what was meant.
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
  const emitted = await Promise.all(
    gates.map((gate) => emitWorker(gateBlueprint(gate, compiled.environment, explain), "gates", folderOf(gate.name))),
  );
  for (const state of stateBlueprints(gates, compiled.environment.name))
    emitted.push(await emitWorker(state, "state", state.config.name));
  removeOrphans(root, path.join(folder, "gates"), compiled, all);
  writeIfChanged(path.join(folder, "consumers.json"), `${JSON.stringify(compiled.consumers, null, 2)}\n`);
  if (only !== undefined || (compiled.missing.length > 0 && !partial)) return emitted;
  const plane = controlBlueprints(compiled, all);
  emitted.push(...(await Promise.all(plane.map((it) => emitWorker(it, "control", it.kind)))));
  return [...emitted, await emitWorker(frontBlueprint(compiled), "front")];
};

const folderOf = (gate: string): string => gate.replace(/^gate-/, "");

/** Empty where nothing is checked. */
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

/** As a text to parse: that takes V8 half the time of an object literal, and no key of it can set a prototype. */
const planSource = (plan: object): string =>
  `export default JSON.parse('${JSON.stringify(plan).replaceAll(/[\\']/g, "\\$&")}');\n`;

/** Leaves a file alone that says the same already. */
const writeIfChanged = (file: string, text: string): void => {
  if (fs.existsSync(file) && fs.readFileSync(file, "utf8") === text) return;
  fs.mkdirSync(path.dirname(file), { recursive: true });
  // Beside and renamed, so that whoever is stopped half way leaves no half a Worker.
  fs.writeFileSync(`${file}.new`, text);
  fs.renameSync(`${file}.new`, file);
};

/** Removes gates that nothing makes any more. A broken manifest keeps its last good gates. */
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
