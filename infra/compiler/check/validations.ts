/** What of the requests of which route is checked, for every filter that validates them: by operations of a document, or by JSON Schemas. */
import { createHash } from "node:crypto";
import type { Checking } from "../../../functions/gateway/part.ts";
import { capturesIn } from "../../../functions/gateway/routing/match.ts";
import { once, type Problem } from "../../diagnostics/problem.ts";
import { type OperationPlan, planOf } from "../../openapi/checks.ts";
import { dialectOf, latest, unknownDialect } from "../../openapi/dialects.ts";
import { DocumentError, type Json, mapOf } from "../../openapi/document.ts";
import { settled } from "../../openapi/relax.ts";
import { bytesOfChecks, type TierPlans } from "../../openapi/module.ts";
import { operationsBy, type Part, type Parts, partNames, partsPlan } from "../../openapi/parts.ts";
import { type Held, heldBy, namedBy, type Open } from "../../openapi/references.ts";
import { type Translator, translator } from "../../openapi/schemas.ts";
import { translateIn } from "../../openapi/shapes.ts";
import type { Documents } from "../inputs/documents.ts";
import type { SchemaFile } from "../inputs/schema-files.ts";
import type { CheckedFilter, CheckedRoute, CheckedTier, Surroundings, Validation } from "../model/checked.ts";
import { touches } from "../model/salvage.ts";
import { finder, missing } from "./operations.ts";
import { told, unfit } from "./schema-problems.ts";

interface Validated {
  readonly validations: ReadonlyMap<string, Validation>;
  readonly problems: readonly Problem[];
}

type Plans = Record<string, Readonly<Record<string, OperationPlan>>>;

interface Made {
  readonly plans: Plans;
  readonly translate: Translator;
  readonly problems: readonly Problem[];
}

export const validationsOf = (tier: CheckedTier, { documents, schemas }: Surroundings): Validated => {
  const validations = new Map<string, Validation>();
  const problems: Problem[] = [];
  // Operations are found by whole paths.
  const baseIsKnown = !touches(tier.broken, "base");
  const filters = tier.routes.flatMap(({ chain }) =>
    chain.filter((it) => it.about.checks && it.mode !== "off" && it.broken.config.length === 0),
  );
  for (const filter of new Map(filters.map((it) => [it.id, it])).values()) {
    if (!documents || !schemas) continue;
    const checking = filter.about.checks?.(filter.config) as Checking;
    // In an order that is not the file's, so that the same routes are the same module.
    const routes = tier.routes
      .filter(({ chain, broken }) => chain.includes(filter) && !touches(broken, "match"))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1));
    try {
      const made =
        checking.openapi === undefined
          ? byParts(filter, checking.parts, routes, opener(documents, schemas))
          : byOperations(tier, filter, checking, baseIsKnown ? routes : [], documents);
      problems.push(...made.problems, ...made.translate.faults.map((it) => told(it, filter)));
      validations.set(filter.id, validationOf(made));
    } catch (error) {
      if (!(error instanceof DocumentError)) throw error;
      problems.push(unfit(filter, error.message, error.remedy));
    }
  }
  const early = once([problems], (all) => all.map((it) => [it.message, it] as const));
  const late = early.length === 0 ? tooLarge(tier, validations) : [];
  return { validations, problems: [...early, ...late] };
};

const validationOf = ({ plans: said, translate }: Made): Validation => {
  const checks = settled(said, translate);
  const text = JSON.stringify([checks.plans, checks.definitions]);
  return { digest: createHash("sha256").update(text).digest("hex"), ...checks, notes: translate.notes() };
};

const byOperations = (
  tier: CheckedTier,
  filter: CheckedFilter,
  { openapi, operation: named }: Extract<Checking, { readonly openapi: string }>,
  routes: readonly CheckedRoute[],
  documents: Documents,
): Made => {
  const { document, operations } = documents(openapi);
  const held = heldBy(document);
  const translate = translator(() => held);
  const find = finder(operations, mapOf(document.root), named);
  const problems: Problem[] = [];
  const translating = translateIn(held, translate);
  const plans: Plans = {};
  for (const route of routes) {
    const found = route.methods
      .filter((it) => it !== "OPTIONS")
      .map((method) => [method, find(route, method)] as const);
    for (const [method, it] of found)
      if (!it) problems.push(missing(tier, filter, route, method, document.file, operations));
    plans[route.name] = Object.fromEntries(
      found.flatMap(([method, it]) =>
        it ? [[method, planOf(document, it, route.segments, translating, translate.note)] as const] : [],
      ),
    );
  }
  return { plans, translate, problems };
};

/** Reads what references of JSON Schemas lead to; what is wrong with a file is gathered. */
const opener =
  (documents: Documents, schemas: (file: string) => SchemaFile) =>
  (problems: Problem[]): Open =>
  (file) => {
    const short = file.replace(/^routes\//, "");
    const read = schemas(short);
    if (read.openapi) return heldBy(documents(short).document);
    problems.push(...read.problems);
    return read.held;
  };

const byParts = (
  filter: CheckedFilter,
  given: Readonly<Record<string, unknown>>,
  routes: readonly CheckedRoute[],
  opening: ReturnType<typeof opener>,
): Made => {
  const problems: Problem[] = [];
  const open = opening(problems);
  const translate = translator(open);
  const parts: Parts = Object.fromEntries(
    partNames.flatMap((name) => {
      const part = given[name] === undefined ? undefined : partOf(filter, name, given[name], open, translate);
      return part ? [[name, part]] : [];
    }),
  );
  const plan = partsPlan(parts, translate, open);
  const plans: Plans = {};
  for (const { name, segments, methods, settings } of routes) {
    const captures = capturesIn(segments);
    for (const field of plan.fields)
      if (field.in === "path" && !captures.includes(field.name)) {
        const has = captures.length > 0 ? `it captures ${captures.join(", ")}` : "it captures nothing";
        const message = `${settings.match} captures no ${field.name}`;
        translate.fail(field.place, message, `${has}; or put the schema on the routes that have it`);
      }
    plans[name] = operationsBy(plan, methods, translate);
  }
  return { plans, translate, problems };
};

const partOf = (
  filter: CheckedFilter,
  name: string,
  given: unknown,
  open: Open,
  translate: Translator,
): Part | undefined => {
  const { source, at } = filter;
  const path = [...at, name];
  const inline = typeof given !== "string";
  const root = inline ? (given as Json) : true;
  const dialect = dialectOf(root);
  const document: Held = {
    file: source.file,
    folder: "routes",
    root,
    dialect: dialect ?? latest,
    written: { source, at: path },
  };
  const called = name === "body" ? "the body" : name;
  const here = { document, path: [], name: called, value: document.root };
  if (!dialect) translate.fail(here, ...unknownDialect, "$schema");
  if (inline) return here;
  try {
    const found = namedBy(given.includes("#") ? given : `${given}#`, document, open);
    return { ...found, name: called };
  } catch (error) {
    if (!(error instanceof DocumentError)) throw error;
    translate.fail(here, error.message, error.remedy);
    return undefined;
  }
};

/** Of one gate, minified. GitHub's document, with 1,223 operations the largest that is public, makes half of it. */
const largest = 3 * 1024 * 1024;

const tooLarge = (tier: CheckedTier, validations: Validated["validations"]): Problem[] => {
  const filter = tier.routes.flatMap(({ chain }) => chain).find((it) => validations.has(it.id));
  if (!filter) return [];
  const bytes = bytesOf(plansOf({ ...tier, validations }));
  if (bytes <= largest) return [];
  const [message, remedy] = Number.isFinite(bytes)
    ? [
        `the checks of this tier are ${mebibytes(bytes)} of code, and a gate carries ${mebibytes(largest)} of them`,
        "split the tier, or drop `validate` where it matters least",
      ]
    : [
        "its schemas hold more within each other than can be compiled",
        "give what they nest names, and refer to it: $ref",
      ];
  return [unfit(filter, message, remedy)];
};

/** The same of the gate that tiers share: told at the one that brings most of it. */
export const sharedTooLarge = (tiers: readonly CheckedTier[]): Problem[] => {
  const sharing = tiers
    .filter(({ manifest, validations }) => manifest.isolation === "shared" && validations.size > 0)
    .map((tier) => ({ tier, bytes: bytesOf(plansOf(tier)) }))
    .toSorted((a, b) => b.bytes - a.bytes);
  const bytes = sharing.reduce((sum, it) => sum + it.bytes, 0);
  const [most] = sharing;
  if (!most || bytes <= largest) return [];
  const message = `the checks of all tiers that share a gate are ${mebibytes(bytes)} of code, and a gate carries ${mebibytes(largest)} of them`;
  const remedy = `give ${most.tier.manifest.tier} a gate of its own: isolation: tier`;
  return [most.tier.source.problem(["isolation"], "document-unfit", message, { remedy })];
};

const mebibytes = (bytes: number): string => `${Number((bytes / 1024 / 1024).toFixed(1))} MiB`;

/** Endless where they cannot be compiled. */
const bytesOf = (plans: readonly TierPlans[]): number => {
  try {
    return plans.reduce((sum, it) => sum + bytesOfChecks(it), 0);
  } catch (error) {
    if (error instanceof RangeError) return Number.POSITIVE_INFINITY;
    throw error;
  }
};

/** Of the routes that one gate serves. */
export const plansOf = ({ manifest: { tier }, routes, validations }: CheckedTier): TierPlans[] => {
  const served = new Set(routes.map(({ name }) => name));
  const all = [...validations].map(([id, { plans }]) => [
    id,
    Object.fromEntries(Object.entries(plans).filter(([name]) => served.has(name))),
  ]);
  if (all.length === 0) return [];
  const definitions = Object.fromEntries([...validations].map(([id, it]) => [id, it.definitions]));
  return [{ tier, plans: Object.fromEntries(all), definitions }];
};
