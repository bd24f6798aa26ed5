/** Finds what `validate` cannot check of an imported document, and routes that it cannot validate at all. */
import { parseMatch, parsePath } from "../../../../functions/gateway/routing/match.ts";
import { type OperationPlan, operationPlan } from "../../../openapi/checks.ts";
import { DocumentError, type OpenApi } from "../../../openapi/document.ts";
import { schemaDocumentOf } from "../../../openapi/references.ts";
import { refersTo } from "../../../openapi/relax.ts";
import { createTranslator } from "../../../openapi/schemas.ts";
import { translateWithin } from "../../../openapi/shapes.ts";
import type { Gap } from "../imported.ts";
import type { RouteDraft } from "./manifest.ts";

/** Drops `validate` for routes whose schemas have broken references; it comes back when the document is repaired and imported again. */
export const checkDraftRoutes = (document: OpenApi, routes: readonly RouteDraft[]) => {
  const schemaDocument = schemaDocumentOf(document);
  const translate = createTranslator(() => schemaDocument);
  const translateSchema = translateWithin(schemaDocument, translate);
  const plans = routes.map(({ operation, match }): OperationPlan | DocumentError => {
    try {
      return operationPlan(document, operation, parsePath(parseMatch(match).path), translateSchema, translate.note);
    } catch (error) {
      if (error instanceof DocumentError) return error;
      throw error;
    }
  });
  const isBroken = refersTo(translate.broken, translate.definitions());
  const gaps: Gap[] = translate.problems.map(({ location, message }) => ({
    kind: "left-out",
    where: location.name,
    what: message.replace(`${document.file}: `, ""),
  }));
  const checkedRoutes = routes.map((route, index): RouteDraft => {
    const plan = plans[index] as OperationPlan | DocumentError;
    if (!(plan instanceof DocumentError) && !isBroken(plan)) return route;
    const reason =
      plan instanceof DocumentError
        ? plan.message.replace(`${document.file}: `, "")
        : "one of its schemas has no target";
    const where = `${route.operation.method} ${route.operation.path}`;
    gaps.push({ kind: "left-out", where, what: `its requests are not checked: ${reason}` });
    return { ...route, isUnchecked: true };
  });
  return {
    routes: checkedRoutes,
    gaps: [...gaps, ...translate.notes().map((it): Gap => ({ kind: "left-out", ...it }))],
  };
};
