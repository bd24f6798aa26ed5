/** Turns problems of OpenAPI documents and JSON Schemas into problems of the manifest. */

import type { Problem } from "../../diagnostics/problem.ts";
import { toPointer } from "../../openapi/document.ts";
import type { SchemaProblem } from "../../openapi/schemas.ts";
import type { CheckedFilter } from "../model/checked.ts";

/** Reported at the schema's line, or at the filter for documents without line information. */
export const schemaProblem = (
  { location, keyword, message, remedy }: SchemaProblem,
  filter: CheckedFilter,
): Problem => {
  const { origin, file } = location.document;
  if (!origin)
    return documentProblem(
      filter,
      message.startsWith(file) ? message : `${formatSchemaLocation(location)}: ${message}`,
      remedy,
    );
  const { source, at } = origin;
  const related = source === filter.source ? [] : [filter.source.related(filter.entry, `${filter.use} is here`)];
  return source.problem([...at, ...location.path], "schema-unfit", message, { remedy, key: keyword, related });
};

/** The schema's pointer, if it is known: `routes/openapi/a.json#/components/schemas/Order`; otherwise its name. */
const formatSchemaLocation = ({ document: { file }, path, name }: SchemaProblem["location"]): string =>
  path[0] === "components" || path[0] === "paths" ? `${file}#${toPointer(path)}` : `${file}: ${name}`;

export const documentProblem = (
  { source, entry, use }: CheckedFilter,
  message: string,
  remedy: string | undefined,
): Problem => source.problem(entry, "document-unfit", message, { key: use, remedy });
