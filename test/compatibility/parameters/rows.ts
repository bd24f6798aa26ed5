/** Parameters of OpenAPI documents: style × explode × type × location; and bodies that are forms. */
import { formRows, multipartRows, otherRows } from "./body-rows.ts";
import { cookieRows, headerRows, pathRows } from "./place-rows.ts";
import { objectRows, styleRows, valueRows } from "./query-rows.ts";
import type { ParameterRow } from "./row.ts";

export const rows: readonly ParameterRow[] = [
  ...styleRows,
  ...valueRows,
  ...objectRows,
  ...pathRows,
  ...headerRows,
  ...cookieRows,
  ...formRows,
  ...multipartRows,
  ...otherRows,
];
