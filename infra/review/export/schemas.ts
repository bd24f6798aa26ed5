/** Turns the JSON Schemas of a manifest into an OpenAPI operation. */
import { templateOf } from "../../../functions/gateway/routing/match.ts";
import type { CheckedRoute, CheckedTier } from "../../compiler/model/checked.ts";
import type { BodyPlan } from "../../openapi/contents.ts";
import type { JsonMap, OpenApi } from "../../openapi/document.ts";
import type { Operation, Parameter } from "../../openapi/operations.ts";

/** @returns undefined if no filter of the route validates */
export const operationBySchemas = (
  { validations }: CheckedTier,
  { name, chain, segments }: CheckedRoute,
  method: string,
): { readonly operation: Operation; readonly document: OpenApi } | undefined => {
  const found = chain.flatMap(({ id }) => {
    const validation = validations.get(id);
    const plan = validation?.plans[name]?.[method] ?? validation?.plans[name]?.ANY;
    return plan && validation ? [{ plan, definitions: validation.definitions }] : [];
  });
  const [first] = found;
  if (!first) return undefined;
  const parameters = found.flatMap(({ plan }) =>
    plan.parameters.map(({ in: place, name, required, schema }): Parameter => {
      return { in: place, name, value: { name, in: place, required, schema } as JsonMap };
    }),
  );
  const lastBody = found.findLast(({ plan }) => plan.body)?.plan.body;
  const body = lastBody && ({ required: lastBody.required, content: toContent(lastBody.types) } as JsonMap);
  const path = `/${segments.map(templateOf).join("/")}`;
  const root = { $defs: Object.assign({}, ...found.map(({ definitions }) => definitions)) } as JsonMap;
  return {
    operation: { method, path, id: undefined, parameters, body, item: {}, value: body ? { requestBody: body } : {} },
    document: { file: `routes/${name}`, version: "3.1.0", root },
  };
};

/** Media ranges are omitted, since OpenAPI tools do not support them. */
const toContent = (types: BodyPlan["types"]): JsonMap =>
  Object.fromEntries(
    Object.entries(types)
      .filter(([type]) => !type.includes("*"))
      .map(([type, it]) => [type, { schema: it?.schema } as JsonMap]),
  );
