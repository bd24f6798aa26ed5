/** The `package.json` of a new project, or an existing one with what Postern needs. */
import type { GeneratedFile } from "../project/generated-files.ts";
import { ownPackage } from "./sources.ts";

/** What `npm run` calls. */
const scripts: Readonly<Record<string, string>> = {
  dev: "postern dev",
  test: "postern test",
  check: "postern check",
  gen: "postern gen",
  deploy: "postern deploy",
};

/** Packages with an install script, and whether it may run. Without that of workerd and esbuild nothing runs. */
export const allowScripts: Readonly<Record<string, boolean>> = {
  "@scarf/scarf": false,
  esbuild: true,
  protobufjs: false,
  workerd: true,
};

export interface PackageResult extends GeneratedFile {
  /** Whether Node reads the project's JavaScript as ES modules. */
  readonly isModule: boolean;
  /** What differs from a new project's, in words. */
  readonly notes: readonly string[];
}

type Json = Readonly<Record<string, unknown>>;

/**
 * @param before the text of an existing `package.json`
 * @param dependencies of the template's own code
 * @throws if the existing text is no JSON object
 */
export const packageJson = (
  before: string | undefined,
  name: string,
  dependencies: Readonly<Record<string, string>>,
): PackageResult => {
  const { version, engines } = ownPackage();
  const needed = { postern: version, ...dependencies };
  if (before === undefined) {
    const all = { name, private: true, type: "module", engines: { node: engines.node }, scripts };
    const text = `${JSON.stringify({ ...all, devDependencies: sortedKeys(needed), allowScripts }, null, 2)}\n`;
    return { file: "package.json", text, isModule: true, notes: [] };
  }
  return { file: "package.json", ...merge(parseObject(before), before, needed) };
};

const parseObject = (text: string): Json => {
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\ufeff/, ""));
  } catch {
    value = undefined;
  }
  if (isObject(value)) return value;
  throw Object.assign(new Error("package.json is no JSON object"), { remedy: "mend it, then run postern init again" });
};

/** A script of the same name stays, and Postern's is added as `gateway:<name>`. */
const merge = (before: Json, text: string, needed: Readonly<Record<string, string>>) => {
  const ownScripts = scriptsOf(before);
  const notes: string[] = [];
  const added = Object.entries(scripts).flatMap(([name, command]): [string, string][] => {
    if (Object.values(ownScripts).includes(command)) return [];
    if (ownScripts[name] === undefined) return [[name, command]];
    notes.push(`package.json has a script "${name}"; postern's is "gateway:${name}"`);
    return [[`gateway:${name}`, command]];
  });
  const dependencies = { ...objectIn(before, "dependencies"), ...objectIn(before, "optionalDependencies") };
  const present = { ...dependencies, ...objectIn(before, "devDependencies") };
  const { postern } = present;
  if (postern !== undefined && postern !== needed.postern)
    notes.push(`package.json has postern ${postern}, and this is ${needed.postern}`);
  const missing = Object.entries(needed).filter(([name]) => present[name] === undefined);
  const merged = {
    ...before,
    scripts: { ...ownScripts, ...Object.fromEntries(added) },
    devDependencies: sortedKeys({ ...objectIn(before, "devDependencies"), ...Object.fromEntries(missing) }),
    allowScripts: { ...allowScripts, ...objectIn(before, "allowScripts") },
  };
  const indent = /^[ \t]+(?=")/m.exec(text)?.[0] ?? 2;
  return { text: `${JSON.stringify(merged, null, indent)}\n`, isModule: before.type === "module", notes };
};

/** `npm init` writes a `test` that only fails; a project that still has it has no tests of its own. */
const placeholderTest = 'echo "Error: no test specified" && exit 1';

const scriptsOf = (before: Json): Json =>
  Object.fromEntries(
    Object.entries(objectIn(before, "scripts")).filter(
      ([name, command]) => !(name === "test" && command === placeholderTest),
    ),
  );

const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const objectIn = (object: Json, key: string): Json => {
  const value = object[key];
  return isObject(value) ? value : {};
};

const sortedKeys = (object: Json): Json =>
  Object.fromEntries(Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1)));
