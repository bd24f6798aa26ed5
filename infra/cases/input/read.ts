/** Reads the cases beside the manifests, with the same care: unknown keys, names that nothing has, each with its place. */
import fs from "node:fs";
import path from "node:path";
import { type Codes, gatewayCodes, upstreamCodes } from "../../../functions/gateway/core/problems.ts";
import { open } from "../../compiler/check/parse.ts";
import type { Compiled } from "../../compiler/compile.ts";
import type { CheckedFilter, CheckedTier } from "../../compiler/model/checked.ts";
import { type StandIn, touches } from "../../compiler/model/salvage.ts";
import type { Path } from "../../diagnostics/locate.ts";
import type { Problem } from "../../diagnostics/problem.ts";
import { choice } from "../../diagnostics/schema-issues.ts";
import type { Source } from "../../diagnostics/source.ts";
import { bytesOf, sourceOf } from "../../diagnostics/source.ts";
import { caseFile, type Written, type WrittenStep } from "./language.ts";

/** A tier and its cases. */
export interface Suite {
  readonly tier: CheckedTier;
  /** `routes/<tier>.test.yaml`, be it there or not. */
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

export interface CaseStep extends WrittenStep {
  /** Who sends it is said at the step itself, and not further ahead. */
  readonly saysWho: boolean;
  readonly path: Path;
  readonly line: number;
}

export interface Suites {
  readonly suites: readonly Suite[];
  readonly problems: readonly Problem[];
}

const ending = ".test.yaml";

/** The file of cases beside a manifest. */
export const casesOf = (manifest: string): string => manifest.replace(/\.yaml$/, ending);

/** @param schema of a file of cases, which takes longer to make than to use */
export const readSuites = (root: string, compiled: Compiled, schema = caseFile()): Suites => {
  const problems: Problem[] = [];
  const suites = compiled.tiers.map(({ checked }): Suite => {
    const file = casesOf(checked.source.file);
    if (!fs.existsSync(path.join(root, file))) return { tier: checked, file, source: undefined, cases: [] };
    const source = sourceOf(file, bytesOf(root, file));
    const { cases, found } = casesIn(source, schema, checked, compiled.surrounding);
    problems.push(...found);
    return { tier: checked, file, source, cases };
  });
  const others = compiled.missing.flatMap((manifest) => besideBroken(root, manifest, schema, compiled));
  return { suites, problems: [...problems, ...others, ...orphans(root, suites, compiled)] };
};

/** What is wrong with the cases of a tier that is broken itself: no case of it is tried, and each is read all the same. */
const besideBroken = (
  root: string,
  manifest: string,
  schema: ReturnType<typeof caseFile>,
  { memory, surrounding }: Compiled,
): readonly Problem[] => {
  const tier = memory.files.get(manifest)?.verdict.partial;
  const file = casesOf(manifest);
  if (!tier || !fs.existsSync(path.join(root, file))) return [];
  return casesIn(sourceOf(file, bytesOf(root, file)), schema, tier, surrounding).found;
};

const manifestOf = (file: string): string => file.replace(/\.test\.yaml$/, ".yaml");

/** Files of cases that no manifest stands beside, be it broken or not. */
const orphans = (root: string, suites: readonly Suite[], { missing }: Compiled): Problem[] => {
  const tiers = [...suites.map(({ tier }) => tier.source.file), ...missing];
  return fs
    .readdirSync(path.join(root, "routes"))
    .filter((name) => name.endsWith(ending) && !name.startsWith("."))
    .map((name) => `routes/${name}`)
    .filter((file) => !tiers.includes(manifestOf(file)))
    .map((file) =>
      sourceOf(file, bytesOf(root, file)).problem([], "file-name", `no tier has its manifest beside ${file}`, {
        remedy: choice(manifestOf(file), tiers) ?? "name it after its manifest",
      }),
    );
};

/** The cases of a file; none where something is wrong with it. */
export const casesIn = (
  source: Source,
  schema: ReturnType<typeof caseFile>,
  tier: CheckedTier,
  environment: Compiled["surrounding"],
): { readonly cases: readonly Case[]; readonly found: readonly Problem[] } => {
  if (source.problems.length > 0) return { cases: [], found: source.problems };
  const reading = open(source, environment);
  const { value: written = [], broken } = reading.parse(schema, reading.value ?? [], [], "a case", standIn);
  const cases = written.map((it, index) => caseOf(it, index, source));
  const words = wordsOf(tier);
  const all = cases.reduce((sum, it) => sum + requestsOf(it), 0);
  if (all > mostRequests) {
    const message = `the cases send ${all} requests, and ${mostRequests} at most are tried`;
    return { cases: [], found: [source.problem([], "out-of-range", message, { remedy: "repeat less often" })] };
  }
  const seen = new Map<string, Path>();
  const named = cases.flatMap(({ it, steps }, index): Problem[] => {
    const first = touches(broken, index, "it") ? undefined : seen.get(it);
    if (!touches(broken, index, "it")) seen.set(it, first ?? [index, "it"]);
    const twice = source.problem([index, "it"], "duplicate-id", "two cases say the same", {
      remedy: "say what is different about this one",
      related: first ? [source.related(first, "it stands here first")] : [],
    });
    return [...(first ? [twice] : []), ...steps.flatMap((step) => unknownNames(step, words, source))];
  });
  // What stands in for something broken is not tried.
  return { cases: broken.length > 0 ? [] : cases, found: [...reading.found, ...named] };
};

/** What stands in for a broken case, or a broken part of one, so that the names in the others can be looked at. */
const standIn: StandIn = (path) => {
  const last = path.at(-1);
  const isStep = path.length === 1 || (path.at(-2) === "then" && typeof last === "number");
  if (isStep) return { ...(path.length === 1 && { it: "unknown" }), send: "GET /", expect: {} };
  if (path.length > 2 && !path.includes("then")) return undefined;
  return last === "it" ? "unknown" : last === "send" ? "GET /" : last === "expect" ? {} : undefined;
};

/** Of one file: some minutes. */
const mostRequests = 100_000;

export const requestsOf = ({ steps }: Case): number =>
  steps.flatMap(({ send }) => send).reduce((sum, it) => sum + (typeof it === "string" ? 1 : it.repeat), 0);

/** 2026-11-01T00:00:00Z: a day on which every window begins. */
const dayOne = Date.UTC(2026, 10, 1);

const caseOf = ({ it, at, then, ...first }: Written, index: number, source: Source): Case => {
  const line = (at: Path) => source.related(at, "").line;
  const rest = then === undefined ? [] : Array.isArray(then) ? then : [then];
  const saysWho = first.as !== undefined;
  const steps: CaseStep[] = [{ ...first, after: "0ms", path: [index], line: line([index, "it"]), saysWho }];
  for (const [turn, step] of rest.entries()) {
    const path = Array.isArray(then) ? [index, "then", turn] : [index, "then"];
    const before = steps.at(-1) as CaseStep;
    const who = { as: step.as ?? before.as, from: step.from ?? before.from, saysWho: step.as !== undefined };
    steps.push({ ...step, ...who, path, line: line(path) });
  }
  return { it, at: at === undefined ? dayOne : Date.parse(at), line: line([index, "it"]), steps };
};

/** Filters that send copies, each once; a case speaks of their services by their ids. */
export const copyingIn = ({ routes }: Pick<CheckedTier, "routes">): CheckedFilter[] => {
  const all = routes.flatMap(({ chain }) => chain.filter(({ about, mode }) => about.copies && mode !== "off"));
  return [...new Map(all.map((it) => [it.id, it])).values()];
};

/** What cases of a tier can name; undefined where something broken may be what they name. */
const wordsOf = ({ routes, upstreams, upstreamNames, shared, broken, whole }: CheckedTier) => {
  const chains = routes.flatMap(({ chain }) => chain);
  const codes: Codes = Object.assign(
    { ...gatewayCodes, ...upstreamCodes },
    ...chains.map(({ about }) => about.codes),
    ...Object.values(upstreams).map(({ about }) => about.codes),
  );
  const hasFilters =
    whole &&
    shared.unknown === 0 &&
    routes.every(({ unknownFilters }) => !unknownFilters) &&
    chains.every((it) => !touches(it.broken.settings, "id"));
  const hasUpstreams = !broken.some((at) => at.length === 1 && at[0] === "upstreams") && hasFilters;
  const hasCodes = hasUpstreams && upstreamNames.every((it) => Object.hasOwn(upstreams, it));
  return {
    routes: whole ? routes.map(({ name }) => name) : undefined,
    upstreams: hasUpstreams ? [...upstreamNames, ...copyingIn({ routes }).map(({ id }) => id)] : undefined,
    filters: hasFilters ? [...new Set(chains.map(({ id }) => id))] : undefined,
    codes: hasCodes ? Object.keys(codes) : undefined,
  };
};

const unknownNames = (step: CaseStep, words: ReturnType<typeof wordsOf>, source: Source): Problem[] => {
  const { upstream = {}, expect, path } = step;
  const unknown = (
    at: Path,
    word: string,
    known: readonly string[] | undefined,
    noun: string,
    key?: string,
  ): Problem[] =>
    known === undefined || known.includes(word)
      ? []
      : [
          source.problem([...path, ...at], "unknown-value", `the tier has no ${noun} "${word}"`, {
            remedy: choice(word, known),
            key,
          }),
        ];
  const services = Object.keys(upstream).flatMap((it) => unknown(["upstream"], it, words.upstreams, "upstream", it));
  if (expect === "snapshot") return services;
  const { code, by, route, filters } = expect;
  const speakers = words.filters && words.upstreams && [...words.filters, ...words.upstreams];
  return [
    ...services,
    ...(code === undefined ? [] : unknown(["expect", "code"], code, words.codes, "code")),
    ...(by === undefined ? [] : unknown(["expect", "by"], by, speakers, "filter")),
    ...(route === undefined ? [] : unknown(["expect", "route"], route, words.routes, "route")),
    ...Object.keys(filters).flatMap((it) => unknown(["expect", "filters"], it, words.filters, "filter", it)),
  ];
};
