/** Reads and checks the case files beside the manifests: unknown keys and unknown names, each with its location. */
import fs from "node:fs";
import path from "node:path";
import { type Codes, gatewayCodes, upstreamCodes } from "../../../functions/gateway/core/problems.ts";
import { openFile } from "../../compiler/check/parse.ts";
import type { Compiled } from "../../compiler/compile.ts";
import type { CheckedFilter, CheckedTier } from "../../compiler/model/checked.ts";
import { isBroken, type StandIn } from "../../compiler/model/salvage.ts";
import type { Path } from "../../diagnostics/locate.ts";
import type { Problem } from "../../diagnostics/problem.ts";
import { choice } from "../../diagnostics/schema-issues.ts";
import type { Source } from "../../diagnostics/source.ts";
import { readProjectFile, sourceOf } from "../../diagnostics/source.ts";
import { type CaseConfig, caseFile, type StepConfig } from "./language.ts";

/** A tier and its cases. */
export interface Suite {
  readonly tier: CheckedTier;
  /** `routes/<tier>.test.yaml`, whether it exists or not. */
  readonly file: string;
  readonly source: Source | undefined;
  readonly cases: readonly Case[];
}

export interface Case {
  readonly it: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly line: number;
  readonly steps: readonly CaseStep[];
}

export interface CaseStep extends StepConfig {
  /** Whether the step itself sets `as`, instead of inheriting it. */
  readonly setsPersona: boolean;
  readonly path: Path;
  readonly line: number;
}

export interface Suites {
  readonly suites: readonly Suite[];
  readonly problems: readonly Problem[];
}

const caseFileSuffix = ".test.yaml";

/** The file of cases beside a manifest. */
export const caseFileOf = (manifest: string): string => manifest.replace(/\.yaml$/, caseFileSuffix);

/** @param schema of case files; passed in, since creating it is slow */
export const readSuites = (root: string, compiled: Compiled, schema = caseFile()): Suites => {
  const problems: Problem[] = [];
  const suites = compiled.tiers.map(({ checked }): Suite => {
    const file = caseFileOf(checked.source.file);
    if (!fs.existsSync(path.join(root, file))) return { tier: checked, file, source: undefined, cases: [] };
    const source = sourceOf(file, readProjectFile(root, file));
    const { cases, fileProblems } = parseCases(source, schema, checked, compiled.partialEnvironment);
    problems.push(...fileProblems);
    return { tier: checked, file, source, cases };
  });
  const others = compiled.missing.flatMap((manifest) => problemsOfBrokenTier(root, manifest, schema, compiled));
  return { suites, problems: [...problems, ...others, ...orphanedFiles(root, suites, compiled)] };
};

/** Problems of the case file of a broken tier. Its cases are checked, but not run. */
const problemsOfBrokenTier = (
  root: string,
  manifest: string,
  schema: ReturnType<typeof caseFile>,
  { cache, partialEnvironment }: Compiled,
): readonly Problem[] => {
  const tier = cache.files.get(manifest)?.result.partial;
  const file = caseFileOf(manifest);
  if (!tier || !fs.existsSync(path.join(root, file))) return [];
  return parseCases(sourceOf(file, readProjectFile(root, file)), schema, tier, partialEnvironment).fileProblems;
};

const manifestOf = (file: string): string => file.replace(/\.test\.yaml$/, ".yaml");

/** Reports case files without a manifest. */
const orphanedFiles = (root: string, suites: readonly Suite[], { missing }: Compiled): Problem[] => {
  const tiers = [...suites.map(({ tier }) => tier.source.file), ...missing];
  return fs
    .readdirSync(path.join(root, "routes"))
    .filter((name) => name.endsWith(caseFileSuffix) && !name.startsWith("."))
    .map((name) => `routes/${name}`)
    .filter((file) => !tiers.includes(manifestOf(file)))
    .map((file) =>
      sourceOf(file, readProjectFile(root, file)).problem([], "file-name", `no tier has its manifest beside ${file}`, {
        remedy: choice(manifestOf(file), tiers) ?? "name it after its manifest",
      }),
    );
};

/** Parses the cases of a file; no cases if it has problems. */
export const parseCases = (
  source: Source,
  schema: ReturnType<typeof caseFile>,
  tier: CheckedTier,
  environment: Compiled["partialEnvironment"],
): { readonly cases: readonly Case[]; readonly fileProblems: readonly Problem[] } => {
  if (source.problems.length > 0) return { cases: [], fileProblems: source.problems };
  const context = openFile(source, environment);
  const { value: configs = [], broken } = context.parse(schema, context.value ?? [], [], "a case", caseStandIn);
  const cases = configs.map((it, index) => toCase(it, index, source));
  const names = knownNames(tier);
  const total = cases.reduce((sum, it) => sum + countRequests(it), 0);
  if (total > maxRequests) {
    const message = `the cases send ${total} requests, and ${maxRequests} at most are run`;
    return { cases: [], fileProblems: [source.problem([], "out-of-range", message, { remedy: "repeat less often" })] };
  }
  const seen = new Map<string, Path>();
  const nameProblems = cases.flatMap(({ it, steps }, index): Problem[] => {
    const first = isBroken(broken, index, "it") ? undefined : seen.get(it);
    if (!isBroken(broken, index, "it")) seen.set(it, first ?? [index, "it"]);
    const duplicate = source.problem([index, "it"], "duplicate-id", "two cases have the same name", {
      remedy: "give this one another name",
      related: first ? [source.related(first, "the first one is here")] : [],
    });
    return [...(first ? [duplicate] : []), ...steps.flatMap((step) => checkNames(step, names, source))];
  });
  // Placeholders of broken cases are not run.
  return { cases: broken.length > 0 ? [] : cases, fileProblems: [...context.problems, ...nameProblems] };
};

/** Placeholders for broken cases and parts of cases, so that the rest can be checked. */
const caseStandIn: StandIn = (path) => {
  const last = path.at(-1);
  const isStep = path.length === 1 || (path.at(-2) === "then" && typeof last === "number");
  if (isStep) return { ...(path.length === 1 && { it: "unknown" }), send: "GET /", expect: {} };
  if (path.length > 2 && !path.includes("then")) return undefined;
  return last === "it" ? "unknown" : last === "send" ? "GET /" : last === "expect" ? {} : undefined;
};

/** Requests of one file; takes a few minutes. */
const maxRequests = 100_000;

export const countRequests = ({ steps }: Case): number =>
  steps.flatMap(({ send }) => send).reduce((sum, it) => sum + (typeof it === "string" ? 1 : it.repeat), 0);

/** 2026-11-01T00:00:00Z, aligned to all rate-limit windows. */
const defaultStart = Date.UTC(2026, 10, 1);

const toCase = ({ it, at, then, ...first }: CaseConfig, index: number, source: Source): Case => {
  const line = (at: Path) => source.related(at, "").line;
  const followUps = then === undefined ? [] : Array.isArray(then) ? then : [then];
  const setsPersona = first.as !== undefined;
  const steps: CaseStep[] = [{ ...first, after: "0ms", path: [index], line: line([index, "it"]), setsPersona }];
  for (const [turn, step] of followUps.entries()) {
    const path = Array.isArray(then) ? [index, "then", turn] : [index, "then"];
    const before = steps.at(-1) as CaseStep;
    const sender = { as: step.as ?? before.as, from: step.from ?? before.from, setsPersona: step.as !== undefined };
    steps.push({ ...step, ...sender, path, line: line(path) });
  }
  return { it, at: at === undefined ? defaultStart : Date.parse(at), line: line([index, "it"]), steps };
};

/** The distinct mirror filters of a tier. Cases refer to their services by filter id. */
export const copyingFilters = ({ routes }: Pick<CheckedTier, "routes">): CheckedFilter[] => {
  const total = routes.flatMap(({ chain }) => chain.filter(({ spec, mode }) => spec.sendsCopies && mode !== "off"));
  return [...new Map(total.map((it) => [it.id, it])).values()];
};

/** Names that cases of a tier may use; undefined where broken parts make them uncertain. */
const knownNames = ({ routes, upstreams, upstreamNames, shared, broken, isComplete }: CheckedTier) => {
  const chains = routes.flatMap(({ chain }) => chain);
  const codes: Codes = Object.assign(
    { ...gatewayCodes, ...upstreamCodes },
    ...chains.map(({ spec }) => spec.codes),
    ...Object.values(upstreams).map(({ spec }) => spec.codes),
  );
  const hasFilters =
    isComplete &&
    shared.unknown === 0 &&
    routes.every(({ hasUnknownFilters }) => !hasUnknownFilters) &&
    chains.every((it) => !isBroken(it.broken.settings, "id"));
  const hasUpstreams = !broken.some((at) => at.length === 1 && at[0] === "upstreams") && hasFilters;
  const hasCodes = hasUpstreams && upstreamNames.every((it) => Object.hasOwn(upstreams, it));
  return {
    routes: isComplete ? routes.map(({ name }) => name) : undefined,
    upstreams: hasUpstreams ? [...upstreamNames, ...copyingFilters({ routes }).map(({ id }) => id)] : undefined,
    filters: hasFilters ? [...new Set(chains.map(({ id }) => id))] : undefined,
    codes: hasCodes ? Object.keys(codes) : undefined,
  };
};

const checkNames = (step: CaseStep, names: ReturnType<typeof knownNames>, source: Source): Problem[] => {
  const { upstream = {}, expect, path } = step;
  const unknown = (
    at: Path,
    name: string,
    known: readonly string[] | undefined,
    noun: string,
    key?: string,
  ): Problem[] =>
    known === undefined || known.includes(name)
      ? []
      : [
          source.problem([...path, ...at], "unknown-value", `the tier has no ${noun} "${name}"`, {
            remedy: choice(name, known),
            key,
          }),
        ];
  const services = Object.keys(upstream).flatMap((it) => unknown(["upstream"], it, names.upstreams, "upstream", it));
  if (expect === "snapshot") return services;
  const { code, by, route, filters } = expect;
  const responders = names.filters && names.upstreams && [...names.filters, ...names.upstreams];
  return [
    ...services,
    ...(code === undefined ? [] : unknown(["expect", "code"], code, names.codes, "code")),
    ...(by === undefined ? [] : unknown(["expect", "by"], by, responders, "filter")),
    ...(route === undefined ? [] : unknown(["expect", "route"], route, names.routes, "route")),
    ...Object.keys(filters).flatMap((it) => unknown(["expect", "filters"], it, names.filters, "filter", it)),
  ];
};
