/** What is wrong with documents and schemas that requests are checked by, as problems of the manifest. */

import type { Problem } from "../../diagnostics/problem.ts";
import { pointerTo } from "../../openapi/document.ts";
import type { Fault } from "../../openapi/schemas.ts";
import type { CheckedFilter } from "../model/checked.ts";

/** At the line of the schema; of documents whose lines nobody counts, at the filter. */
export const told = ({ place, word, message, remedy }: Fault, filter: CheckedFilter): Problem => {
  const { written, file } = place.document;
  if (!written) return unfit(filter, message.startsWith(file) ? message : `${placed(place)}: ${message}`, remedy);
  const { source, at } = written;
  const related = source === filter.source ? [] : [filter.source.related(filter.entry, `${filter.use} is here`)];
  return source.problem([...at, ...place.path], "schema-unfit", message, { remedy, key: word, related });
};

/** Of what references lead to the whole way is known, of other schemas whose they are: `routes/openapi/a.json#/components/schemas/Order`. */
const placed = ({ document: { file }, path, name }: Fault["place"]): string =>
  path[0] === "components" || path[0] === "paths" ? `${file}#${pointerTo(path)}` : `${file}: ${name}`;

export const unfit = ({ source, entry, use }: CheckedFilter, message: string, remedy: string | undefined): Problem =>
  source.problem(entry, "document-unfit", message, { key: use, remedy });
