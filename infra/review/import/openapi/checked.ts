/** What `validate` does not check of what a document says, and routes whose requests it cannot check at all. */
import { matchOf, segmentsOf } from "../../../../functions/gateway/routing/match.ts";
import { type OperationPlan, planOf } from "../../../openapi/checks.ts";
import { DocumentError, type OpenApi } from "../../../openapi/document.ts";
import { reaching } from "../../../openapi/relax.ts";
import { heldBy } from "../../../openapi/references.ts";
import { translator } from "../../../openapi/schemas.ts";
import { translateIn } from "../../../openapi/shapes.ts";
import type { Gap } from "../imported.ts";
import type { DraftRoute } from "./manifest.ts";

/** A route goes without `validate` where a schema of its requests leads nowhere; who repairs the document takes it back. */
export const checkedBy = (document: OpenApi, routes: readonly DraftRoute[]) => {
  const held = heldBy(document);
  const translate = translator(() => held);
  const inDocument = translateIn(held, translate);
  const plans = routes.map(({ operation, match }): OperationPlan | DocumentError => {
    try {
      return planOf(document, operation, segmentsOf(matchOf(match).path), inDocument, translate.note);
    } catch (error) {
      if (error instanceof DocumentError) return error;
      throw error;
    }
  });
  const isBroken = reaching(translate.broken, translate.definitions());
  const gaps: Gap[] = translate.faults.map(({ place, message }) => ({
    kind: "left-out",
    where: place.name,
    what: message.replace(`${document.file}: `, ""),
  }));
  const checked = routes.map((route, index): DraftRoute => {
    const plan = plans[index] as OperationPlan | DocumentError;
    if (!(plan instanceof DocumentError) && !isBroken(plan)) return route;
    const why =
      plan instanceof DocumentError ? plan.message.replace(`${document.file}: `, "") : "a schema of them leads nowhere";
    const where = `${route.operation.method} ${route.operation.path}`;
    gaps.push({ kind: "left-out", where, what: `its requests are not checked: ${why}` });
    return { ...route, unchecked: true };
  });
  return { routes: checked, gaps: [...gaps, ...translate.notes().map((it): Gap => ({ kind: "left-out", ...it }))] };
};
