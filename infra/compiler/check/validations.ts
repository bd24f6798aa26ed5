/** Builds the request validation of each route from OpenAPI operations or JSON Schemas. */
import { createHash } from "node:crypto";
import type { RequestChecks } from "../../../functions/gateway/part.ts";
import { capturesIn } from "../../../functions/gateway/routing/match.ts";
import { deduplicate, type Problem } from "../../diagnostics/problem.ts";
import { type OperationPlan, operationPlan } from "../../openapi/checks.ts";
import { dialectOf, draft2020, unknownDialect } from "../../openapi/dialects.ts";
import { DocumentError, type Json, mapOf } from "../../openapi/document.ts";
import { measureChecks, type TierPlans } from "../../openapi/module.ts";
import { operationPlans, partNames, planParts, type RequestPart, type RequestParts } from "../../openapi/parts.ts";
import {
  type OpenDocument,
  resolveReference,
  type SchemaDocument,
  schemaDocumentOf,
} from "../../openapi/references.ts";
import { relaxPlans } from "../../openapi/relax.ts";
import { createTranslator, type Translator } from "../../openapi/schemas.ts";
import { translateWithin } from "../../openapi/shapes.ts";
import type { DocumentLoader } from "../inputs/documents.ts";
import type { SchemaFile } from "../inputs/schema-files.ts";
import type { CheckedFilter, CheckedRoute, CheckedTier, CheckInputs, Validation } from "../model/checked.ts";
import { isBroken } from "../model/salvage.ts";
import { missingOperation, operationFinder } from "./operations.ts";
import { documentProblem, schemaProblem } from "./schema-problems.ts";

interface ValidationResult {
  readonly validations: ReadonlyMap<string, Validation>;
  readonly problems: readonly Problem[];
}

type Plans = Record<string, Readonly<Record<string, OperationPlan>>>;

interface BuiltChecks {
  readonly plans: Plans;
  readonly translate: Translator;
  readonly problems: readonly Problem[];
}

export const buildValidations = (tier: CheckedTier, { documents, schemas }: CheckInputs): ValidationResult => {
  const validations = new Map<string, Validation>();
  const problems: Problem[] = [];
  // Operations are found by full paths, which need the base.
  const baseIsKnown = !isBroken(tier.broken, "base");
  const filters = tier.routes.flatMap(({ chain }) =>
    chain.filter((it) => it.spec.checks && it.mode !== "off" && it.broken.config.length === 0),
  );
  for (const filter of new Map(filters.map((it) => [it.id, it])).values()) {
    if (!documents || !schemas) continue;
    const checking = filter.spec.checks?.(filter.config) as RequestChecks;
    // Sorted, so that the order in the file does not change the module.
    const routes = tier.routes
      .filter(({ chain, broken }) => chain.includes(filter) && !isBroken(broken, "match"))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1));
    try {
      const built =
        checking.openapi === undefined
          ? checksFromSchemas(filter, checking.parts, routes, documentOpener(documents, schemas))
          : checksFromOpenApi(tier, filter, checking, baseIsKnown ? routes : [], documents);
      problems.push(...built.problems, ...built.translate.problems.map((it) => schemaProblem(it, filter)));
      validations.set(filter.id, toValidation(built));
    } catch (error) {
      if (!(error instanceof DocumentError)) throw error;
      problems.push(documentProblem(filter, error.message, error.remedy));
    }
  }
  const buildProblems = deduplicate([problems], (all) => all.map((it) => [it.message, it] as const));
  const sizeProblems = buildProblems.length === 0 ? checkSize(tier, validations) : [];
  return { validations, problems: [...buildProblems, ...sizeProblems] };
};

const toValidation = ({ plans, translate }: BuiltChecks): Validation => {
  const checks = relaxPlans(plans, translate);
  const text = JSON.stringify([checks.plans, checks.definitions]);
  return { digest: createHash("sha256").update(text).digest("hex"), ...checks, notes: translate.notes() };
};

const checksFromOpenApi = (
  tier: CheckedTier,
  filter: CheckedFilter,
  { openapi, operation: named }: Extract<RequestChecks, { readonly openapi: string }>,
  routes: readonly CheckedRoute[],
  documents: DocumentLoader,
): BuiltChecks => {
  const { document, operations } = documents(openapi);
  const schemaDocument = schemaDocumentOf(document);
  const translate = createTranslator(() => schemaDocument);
  const find = operationFinder(operations, mapOf(document.root), named);
  const problems: Problem[] = [];
  const translating = translateWithin(schemaDocument, translate);
  const plans: Plans = {};
  for (const route of routes) {
    const found = route.methods
      .filter((it) => it !== "OPTIONS")
      .map((method) => [method, find(route, method)] as const);
    for (const [method, it] of found)
      if (!it) problems.push(missingOperation(tier, filter, route, method, document.file, operations));
    plans[route.name] = Object.fromEntries(
      found.flatMap(([method, it]) =>
        it ? [[method, operationPlan(document, it, route.segments, translating, translate.note)] as const] : [],
      ),
    );
  }
  return { plans, translate, problems };
};

/** Opens the target files of JSON Schema references, and collects their problems. */
const documentOpener =
  (documents: DocumentLoader, schemas: (file: string) => SchemaFile) =>
  (problems: Problem[]): OpenDocument =>
  (file) => {
    const short = file.replace(/^routes\//, "");
    const read = schemas(short);
    if (read.openapi) return schemaDocumentOf(documents(short).document);
    problems.push(...read.problems);
    return read.document;
  };

const checksFromSchemas = (
  filter: CheckedFilter,
  schemas: Readonly<Record<string, unknown>>,
  routes: readonly CheckedRoute[],
  openWith: ReturnType<typeof documentOpener>,
): BuiltChecks => {
  const problems: Problem[] = [];
  const open = openWith(problems);
  const translate = createTranslator(open);
  const parts: RequestParts = Object.fromEntries(
    partNames.flatMap((name) => {
      const part = schemas[name] === undefined ? undefined : schemaPart(filter, name, schemas[name], open, translate);
      return part ? [[name, part]] : [];
    }),
  );
  const plan = planParts(parts, translate, open);
  const plans: Plans = {};
  for (const { name, segments, methods, settings } of routes) {
    const captures = capturesIn(segments);
    for (const field of plan.fields)
      if (field.in === "path" && !captures.includes(field.name)) {
        const has = captures.length > 0 ? `it captures ${captures.join(", ")}` : "it captures nothing";
        const message = `${settings.match} captures no ${field.name}`;
        translate.fail(field.location, message, `${has}; or put the schema on the routes that have it`);
      }
    plans[name] = operationPlans(plan, methods, translate);
  }
  return { plans, translate, problems };
};

const schemaPart = (
  filter: CheckedFilter,
  name: string,
  schema: unknown,
  open: OpenDocument,
  translate: Translator,
): RequestPart | undefined => {
  const { source, at } = filter;
  const path = [...at, name];
  const inline = typeof schema !== "string";
  const root = inline ? (schema as Json) : true;
  const dialect = dialectOf(root);
  const document: SchemaDocument = {
    file: source.file,
    folder: "routes",
    root,
    dialect: dialect ?? draft2020,
    origin: { source, at: path },
  };
  const partName = name === "body" ? "the body" : name;
  const here = { document, path: [], name: partName, value: document.root };
  if (!dialect) translate.fail(here, ...unknownDialect, "$schema");
  if (inline) return here;
  try {
    const found = resolveReference(schema.includes("#") ? schema : `${schema}#`, document, open);
    return { ...found, name: partName };
  } catch (error) {
    if (!(error instanceof DocumentError)) throw error;
    translate.fail(here, error.message, error.remedy);
    return undefined;
  }
};

/** The limit for one gate, minified. GitHub's document, the largest public one with 1,223 operations, needs half of it. */
const maxBytes = 3 * 1024 * 1024;

const checkSize = (tier: CheckedTier, validations: ValidationResult["validations"]): Problem[] => {
  const filter = tier.routes.flatMap(({ chain }) => chain).find((it) => validations.has(it.id));
  if (!filter) return [];
  const bytes = sizeOf(tierPlans({ ...tier, validations }));
  if (bytes <= maxBytes) return [];
  const [message, remedy] = Number.isFinite(bytes)
    ? [
        `the checks of this tier are ${formatMebibytes(bytes)} of code; a gate can carry ${formatMebibytes(maxBytes)} of them`,
        "split the tier, or drop `validate` where it matters least",
      ]
    : ["its schemas are nested too deeply to be compiled", "name the nested schemas, and refer to them: $ref"];
  return [documentProblem(filter, message, remedy)];
};

/** Checks the size of the shared gate. Reported at the tier with the largest part. */
export const checkSharedSize = (tiers: readonly CheckedTier[]): Problem[] => {
  const sharingTiers = tiers
    .filter(({ manifest, validations }) => manifest.isolation === "shared" && validations.size > 0)
    .map((tier) => ({ tier, bytes: sizeOf(tierPlans(tier)) }))
    .toSorted((a, b) => b.bytes - a.bytes);
  const bytes = sharingTiers.reduce((sum, it) => sum + it.bytes, 0);
  const [topTier] = sharingTiers;
  if (!topTier || bytes <= maxBytes) return [];
  const message = `the checks of all tiers that share a gate are ${formatMebibytes(bytes)} of code; a gate can carry ${formatMebibytes(maxBytes)} of them`;
  const remedy = `give ${topTier.tier.manifest.tier} a gate of its own: isolation: tier`;
  return [topTier.tier.source.problem(["isolation"], "document-unfit", message, { remedy })];
};

const formatMebibytes = (bytes: number): string => `${Number((bytes / 1024 / 1024).toFixed(1))} MiB`;

/** Infinite if they cannot be compiled. */
const sizeOf = (plans: readonly TierPlans[]): number => {
  try {
    return plans.reduce((sum, it) => sum + measureChecks(it), 0);
  } catch (error) {
    if (error instanceof RangeError) return Number.POSITIVE_INFINITY;
    throw error;
  }
};

/** The plans of the routes that one gate serves. */
export const tierPlans = ({ manifest: { tier }, routes, validations }: CheckedTier): TierPlans[] => {
  const served = new Set(routes.map(({ name }) => name));
  const all = [...validations].map(([id, { plans }]) => [
    id,
    Object.fromEntries(Object.entries(plans).filter(([name]) => served.has(name))),
  ]);
  if (all.length === 0) return [];
  const definitions = Object.fromEntries([...validations].map(([id, it]) => [id, it.definitions]));
  return [{ tier, plans: Object.fromEntries(all), definitions }];
};
