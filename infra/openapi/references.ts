/** Where schemas stand, and what their references name: in the same file, or in another one of the project, and nowhere else. */
import path from "node:path";
import type { Path } from "../diagnostics/locate.ts";
import type { Source } from "../diagnostics/source.ts";
import { type Dialect, openApi30, openApi31 } from "./dialects.ts";
import {
  DocumentError,
  isMap,
  type Json,
  type JsonMap,
  listOf,
  mapOf,
  mostHops,
  type OpenApi,
  ownPart,
  pointed,
  pointerOf,
  type Rooted,
  resolved,
} from "./document.ts";

/** What holds schemas: a file, or a place in a manifest. */
export interface Held {
  readonly file: string;
  /** What references to other files go out from: `routes/schemas`. */
  readonly folder: string;
  readonly root: Json;
  readonly dialect: Dialect;
  /** Where it is written, so that a reader is led to the line; undefined where nobody counted them. */
  readonly written?: { readonly source: Source; readonly at: Path };
}

/** A whole OpenAPI document. Its lines are counted by nobody. */
export const heldBy = ({ file, root, version }: OpenApi): Held => ({
  file,
  root,
  folder: path.posix.dirname(file),
  dialect: version.startsWith("3.0") ? openApi30 : openApi31,
});

/** Of a schema. */
export interface Place {
  readonly document: Held;
  readonly path: Path;
  /** How people call it. */
  readonly name: string;
}

export interface Named extends Place {
  readonly value: Json;
}

/** Reads a file of the project: `routes/schemas/order.json`. @throws DocumentError */
export type Open = (file: string) => Held;

export const beneath = (place: Place, ...steps: Path): Place => ({ ...place, path: [...place.path, ...steps] });

/**
 * What a reference names; a reference there is followed too.
 * @throws DocumentError where it leads out of the project, nowhere, or in a circle
 */
export const namedBy = (ref: string, from: Held, open: Open): Named => {
  const first = once(ref, from, open);
  let at = first;
  for (let hop = 0; isMap(at.value) && isOnly(at.value.$ref, at); hop++) {
    if (hop === mostHops) throw new DocumentError(`${said(from)}${ref} leads in a circle`, "let it name what is meant");
    at = once(String(at.value.$ref), at.document, open);
  }
  return first;
};

const isOnly = (ref: unknown, { value, document }: Named): boolean =>
  typeof ref === "string" && (!document.dialect.besideRef || Object.keys(mapOf(value)).length === 1);

const once = (whole: string, from: Held, open: Open): Named => {
  const ref = ownPart(from.root, whole);
  const own = mapOf(from.root).$id;
  const local = typeof own === "string" && own !== "" && ref.startsWith(`${own.replace(/#$/, "")}#`);
  const [file = "", ...rest] = local ? ["", ref.slice(ref.indexOf("#") + 1)] : ref.split("#");
  const document = file === "" ? from : open(fileOf(file, ref, from));
  const pointer = `#${rest.join("#")}`;
  const value = pointed(document, pointer);
  const steps = pointerOf(pointer);
  return { document, path: steps, name: steps.at(-1) ?? document.file, value };
};

const fileOf = (file: string, ref: string, from: Held): string => {
  if (from.dialect.openapi)
    throw new DocumentError(
      `${from.file}: ${ref} leads out of the document`,
      "bundle it into one file first; nothing is fetched for a build",
    );
  if (/^[a-z][a-z0-9+.-]*:|^\/\//i.test(file))
    throw new DocumentError(
      `${ref} leads out of the project`,
      "put the file into routes/schemas; nothing is fetched for a build",
    );
  const whole = path.posix.normalize(path.posix.join(from.folder, file));
  if (!/^routes\/(?:schemas|openapi)\/.+\.(?:json|ya?ml)$/.test(whole))
    throw new DocumentError(
      `${ref} leads to ${whole}`,
      "schemas stand in routes/schemas and routes/openapi, as .json or .yaml",
    );
  return whole;
};

/** What is marked in a line needs no file's name. */
const said = ({ file, written }: Held): string => (written ? "" : `${file}: `);

/** As its place is called: `#/components/schemas/Order` is `Order`. */
export const nameFor = (path: Path, taken: object): string => {
  const wanted = String(path.findLast((it) => typeof it === "string") ?? "schema").replaceAll(/[^\w.-]+/g, "-");
  for (let turn = 1; ; turn++) {
    const name = turn === 1 ? wanted : `${wanted}-${turn}`;
    if (!Object.hasOwn(taken, name)) return name;
  }
};

/** Of one object. */
const mostComposed = 200;

/** Schemas, and what they are composed of by `allOf` and references. */
export const composed = (document: Rooted, all: readonly JsonMap[]): readonly JsonMap[] => {
  const found = new Set<JsonMap>();
  const waiting: unknown[] = [...all];
  for (let it = waiting.pop(); it !== undefined && found.size < mostComposed; it = waiting.pop()) {
    if (!isMap(it) || found.has(it)) continue;
    found.add(it);
    waiting.push(...listOf(it.allOf), ...(typeof it.$ref === "string" ? [resolved(document, it)] : []));
  }
  return [...found];
};
