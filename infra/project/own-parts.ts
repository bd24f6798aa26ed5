/** The parts of a project: files of its folders of filters and upstreams, each checked as far as tools rely on it. */
import fs from "node:fs";
import path from "node:path";
import { filters as builtInFilters } from "../../functions/filters/registry.gen.ts";
import type { FilterModule, FilterSpec, UpstreamModule, UpstreamSpec } from "../../functions/gateway/part.ts";
import { upstreams as builtInUpstreams } from "../../functions/upstreams/registry.gen.ts";
import { FileError, readWithin, reasons } from "./files.ts";
import { loadModules } from "./load-parts.ts";
import { isReservedName, kindOf, nameFault, type PartGroup, partGroups } from "./part-names.ts";
import { type CodeProblem, problemOf } from "./problem-at.ts";

export interface OwnPart {
  readonly group: PartGroup;
  readonly name: string;
  /** Relative to the project: `functions/filters/geo-fence.ts`. */
  readonly file: string;
  readonly module: FilterModule | UpstreamModule;
  readonly spec: FilterSpec | UpstreamSpec;
}

export interface OwnParts {
  readonly parts: readonly OwnPart[];
  /** The names of those that cannot be used. */
  readonly broken: Readonly<Record<PartGroup, readonly string[]>>;
  readonly problems: readonly CodeProblem[];
  /** Changes with their code. */
  readonly digest: string;
}

export const noParts: OwnParts = { parts: [], broken: { filters: [], upstreams: [] }, problems: [], digest: "" };

interface PartFile {
  readonly group: PartGroup;
  readonly name: string;
  readonly file: string;
}

const builtIn: Readonly<Record<PartGroup, object>> = { filters: builtInFilters, upstreams: builtInUpstreams };

const maxParts = 100;
const maxBytes = 1024 * 1024;

/** @param folders relative to the project, by group */
export const loadOwnParts = async (root: string, folders: Readonly<Record<PartGroup, string>>): Promise<OwnParts> => {
  const all = partGroups.flatMap((group) => partFiles(root, folders[group], group));
  if (all.length === 0) return noParts;
  const faults = new Map(all.slice(0, maxParts).map((it) => [it, fileFault(root, it, all)]));
  const usable = [...faults].flatMap(([it, fault]) => (fault ? [] : [it]));
  const loaded = await loadModules(
    root,
    usable.map(({ file }) => file),
  );
  const checked = usable.map((it) => ({ it, result: check(it, loaded.modules.get(it.file)) }));
  const parts = checked.flatMap(({ result }) => ("problem" in result ? [] : [result]));
  const names = (group: PartGroup) =>
    all.filter((it) => it.group === group && !parts.some(({ file }) => file === it.file)).map(({ name }) => name);
  return {
    parts,
    broken: { filters: names("filters"), upstreams: names("upstreams") },
    problems: [
      ...tooMany(all),
      ...[...faults.values()].flatMap((fault) => fault ?? []),
      ...loaded.problems,
      // A file that was not loaded has its problem already.
      ...checked.flatMap(({ it, result }) =>
        "problem" in result && loaded.modules.has(it.file) ? [result.problem] : [],
      ),
    ],
    digest: loaded.digest,
  };
};

/** Declarations, tests and generated files are no parts; nor is a folder, which a part may have beside its file. */
const partFiles = (root: string, folder: string, group: PartGroup): PartFile[] => {
  const fullPath = path.join(root, folder);
  if (!fs.statSync(fullPath, { throwIfNoEntry: false })?.isDirectory()) return [];
  return fs
    .readdirSync(fullPath)
    .filter((name) => /^[^.].*\.[jt]s$/.test(name) && !/\.(?:d|test|spec|gen)\.[jt]s$/.test(name))
    .filter((name) => !fs.statSync(path.join(fullPath, name), { throwIfNoEntry: false })?.isDirectory())
    .sort()
    .map((name) => ({ group, name: name.replace(/\.[jt]s$/, ""), file: path.posix.join(folder, name) }));
};

const tooMany = (all: readonly PartFile[]): CodeProblem[] => {
  const first = all[maxParts];
  if (!first) return [];
  const message = `the project has ${all.length} filters and upstreams of its own, and ${maxParts} is the most`;
  return [problemOf(first.file, "too-large", message, "put what several need into one, with keys for what differs")];
};

/** What is wrong with a file before it is loaded. */
const fileFault = (
  root: string,
  { group, name, file }: PartFile,
  all: readonly PartFile[],
): CodeProblem | undefined => {
  const kind = kindOf(group);
  const fault = nameFault(name);
  if (fault !== undefined) return problemOf(file, "part-name", fault, `rename the file; its name is the ${kind}'s`);
  if (Object.hasOwn(builtIn[group], name))
    return problemOf(file, "part-name", `Postern has a ${kind} "${name}" of its own`, "give the file another name");
  if (isReservedName(group, name))
    return problemOf(
      file,
      "part-name",
      `"${name}" is a key beside ${kind}s in manifests`,
      "give the file another name",
    );
  if (all.find((it) => it.group === group && it.name === name)?.file !== file)
    return problemOf(file, "part-name", `two files are the ${kind} "${name}"`, "delete one of them");
  try {
    readWithin(root, file, maxBytes);
    return undefined;
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    return error.reason === "large"
      ? problemOf(file, "too-large", `the file has ${error.size} bytes`, `a part has ${maxBytes} at most`)
      : problemOf(file, "unreadable", reasons[error.reason], "put a regular file there, or delete it");
  }
};

const check = (
  { group, name, file }: PartFile,
  module: Readonly<Record<string, unknown>> | undefined,
): OwnPart | { readonly problem: CodeProblem } => {
  const unfit = (message: string, remedy: string) => ({ problem: problemOf(file, "part-unfit", message, remedy) });
  const { spec, make } = module ?? {};
  const kind = kindOf(group);
  const define = kind === "filter" ? "defineFilter" : "defineUpstream";
  const missing = Object.entries({ spec, make }).flatMap(([key, it]) => (typeof it === "function" ? [] : [key]));
  if (missing.length > 0)
    return unfit(
      `the file exports no function ${missing.join(" and no ")}`,
      `export \`spec\` and \`make\`; \`npx postern new ${kind} <name>\` writes a file that has both`,
    );
  let described: unknown;
  try {
    described = (spec as () => unknown)();
  } catch (error) {
    return unfit(`spec() throws: ${error instanceof Error ? error.message : String(error)}`, "mend spec()");
  }
  const fault = specFault(kind, described);
  if (fault !== undefined) return unfit(fault, `return what ${define} of "postern/filter" takes`);
  return { group, name, file, module: module as unknown as OwnPart["module"], spec: described as OwnPart["spec"] };
};

/** What tools rely on. The law suite tests the rest. */
const specFault = (kind: "filter" | "upstream", spec: unknown): string | undefined => {
  if (typeof spec !== "object" || spec === null) return "spec() returns no object";
  const it = spec as Partial<Omit<FilterSpec, "kind">> & { readonly kind?: unknown };
  const kinds = kind === "filter" ? ["guard", "layer"] : ["upstream"];
  if (!kinds.includes(String(it.kind)))
    return `the \`kind\` of the ${kind} is ${JSON.stringify(it.kind) ?? "missing"}, and not ${kinds.map((one) => `"${one}"`).join(" or ")}`;
  if (kind === "filter" && !phases.includes(String(it.phase)))
    return `its \`phase\` is ${JSON.stringify(it.phase) ?? "missing"}, and not one of ${phases.join(", ")}`;
  if (typeof it.schema?.safeParse !== "function") return "its `schema` is no zod schema";
  if (typeof it.codes !== "object" || it.codes === null) return "it has no `codes`; a part that refuses nothing has {}";
  const parsed = it.schema.safeParse(it.example);
  if (parsed.success) return undefined;
  const [issue] = parsed.error.issues;
  return `its schema refuses its \`example\`${issue ? `: ${[issue.path.join("."), issue.message].filter(Boolean).join(": ")}` : ""}`;
};

const phases: readonly string[] = ["admission", "identity", "access", "limits", "traffic", "content"];
