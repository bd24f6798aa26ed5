/** Reads resources of Kubernetes from YAML of several documents, each with the lines that its values stand on. */
import { LineCounter, type Node, parseAllDocuments } from "yaml";
import { locator, type Path } from "../../../compiler/locate.ts";

export interface Resource {
  readonly file: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  /** Of the object's making, where it is known: the older one wins. */
  readonly created: string;
  readonly value: Readonly<Record<string, unknown>>;
  /** The line that a value stands on, or the nearest thing around it that is there. */
  readonly line: (path: Path) => number;
}

/** What was given: a file's name, or `-`. */
export interface Given {
  readonly file: string;
  readonly text: string;
}

/** What a cluster's whole configuration may come to. */
const largest = 16 * 1024 * 1024;

/** @throws where a file is no YAML, with its line */
export const resourcesIn = ({ file, text }: Given): Resource[] => {
  if (text.length > largest) throw new Error(`${file} has more than ${largest} characters; import it in parts`);
  const lineCounter = new LineCounter();
  const documents = parseAllDocuments(text, { lineCounter, prettyErrors: false, logLevel: "error" });
  if (!Array.isArray(documents)) return [];
  return documents.flatMap((document) => {
    const [error] = document.errors;
    if (error) throw new Error(`${file}:${lineCounter.linePos(error.pos[0]).line}  ${error.message}`);
    const locate = locator(document.contents as Node | null);
    // The deepest that is there.
    const line = (path: Path): number => lineCounter.linePos(locate(path)?.range?.[0] ?? 0).line;
    return unfolded(document.toJS({ maxAliasCount: 100 }), [], { file, line });
  });
};

/** A `List` holds others. */
const unfolded = (value: unknown, at: Path, where: { file: string; line: (path: Path) => number }): Resource[] => {
  const { kind, metadata, items } = mapOf(value);
  if (typeof kind !== "string") return [];
  if (kind === "List" && Array.isArray(items))
    return items.flatMap((item, index) => unfolded(item, [...at, "items", index], where));
  const { name = "", namespace = "default", creationTimestamp = "" } = mapOf(metadata);
  return [
    {
      file: where.file,
      kind,
      namespace: String(namespace),
      name: String(name),
      created: String(creationTimestamp),
      value: mapOf(value),
      line: (path) => where.line([...at, ...path]),
    },
  ];
};

const mapOf = (value: unknown): Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
