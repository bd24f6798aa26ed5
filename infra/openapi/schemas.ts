/** Schemas of OpenAPI and JSON Schema as JSON Schema 2020-12, as far as requests are concerned: whole, with what their references name. */
import { choice } from "../diagnostics/schema-issues.ts";
import { quick } from "../patterns/safe-patterns.ts";
import {
  allWords,
  annotations,
  foreign,
  named,
  nullable,
  openApiWords,
  several,
  single,
  values,
  type Word,
  wordsOf,
} from "./dialects.ts";
import { DocumentError, isMap, type Json, type JsonMap, listOf, mapOf } from "./document.ts";
import { wordsOfFormat } from "./formats.ts";
import { requiredOfRequests } from "./read-only.ts";
import { beneath, namedBy, nameFor, type Open, type Place } from "./references.ts";

export type Schema = boolean | { readonly [key: string]: unknown };

/** What is wrong with a schema. */
export interface Fault {
  readonly place: Place;
  /** The word that it is about, where it is one. */
  readonly word?: string | undefined;
  readonly message: string;
  readonly remedy: string | undefined;
}

/** Something of a document that no request is checked by. */
export interface Note {
  /** Checked, in a way that the document leaves open; without it, not checked. */
  readonly kind?: "otherwise";
  /** What it is said of: `order`, `GET /orders`. */
  readonly where: string;
  readonly what: string;
}

export interface Translator {
  readonly schema: (value: unknown, place: Place) => Schema;
  /** Of all that was named by references, by the names that `$ref` uses. */
  readonly definitions: () => Readonly<Record<string, Schema>>;
  readonly note: (note: Note) => void;
  /** What is not checked, each once. */
  readonly notes: () => readonly Note[];
  readonly faults: readonly Fault[];
  /** Schemas that check less than the document says. */
  readonly loose: ReadonlySet<object>;
  /** Schemas that stand for one that a reference does not lead to. */
  readonly broken: ReadonlySet<object>;
  readonly fail: (place: Place, message: string, remedy?: string, word?: string) => true;
}

/** Of all schemas that the requests of one tier need. */
const mostNodes = 60_000;
/** Each is checked inside of the one before it, and no stack is endless. */
const mostMembers = 500;
/** A file of another kind is wrong at every word. */
const mostFaults = 50;

/** @param open reads another file that a reference names */
export const translator = (open: Open): Translator => {
  const names = new Map<string, string>();
  const done: Record<string, Schema> = {};
  const notes = new Map<string, Note>();
  const faults: Fault[] = [];
  const loose = new Set<object>();
  const broken = new Set<object>();
  let nodes = 0;
  let dropped = 0;

  const note: Translator["note"] = (it) => void notes.set(JSON.stringify(it), it);

  /** Nothing is asked where it is unknown what should be. */
  const fail: Translator["fail"] = (place, message, remedy, word) => {
    if (faults.length < mostFaults) faults.push({ place, message, remedy, word });
    return true;
  };

  /** Of a foreign document one check is dropped and listed; a schema that the project wrote is put right. */
  const drop: Translator["fail"] = (place, message, remedy, word) => {
    if (!place.document.dialect.openapi) return fail(place, message, remedy, word);
    dropped++;
    note({ where: place.name, what: `${message}; it is not checked` });
    return true;
  };

  const tried = <T>(place: Place, word: string | undefined, work: () => T): T | true => {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof DocumentError)) throw error;
      return fail(place, error.message, error.remedy, word);
    }
  };

  const reference = (ref: string, place: Place): Schema => {
    const read = tried(place, "$ref", () => {
      const found = namedBy(ref, place.document, open);
      const key = `${found.document.file}#${JSON.stringify(found.path)}`;
      let name = names.get(key);
      if (name === undefined) {
        name = nameFor(found.path, done);
        names.set(key, name);
        done[name] = true;
        done[name] = schema(found.value, found);
      }
      return { $ref: `#/$defs/${name}` };
    });
    if (read !== true) return read;
    const missing = {};
    broken.add(missing);
    return missing;
  };

  /** @param around those that it is a part of by `allOf` */
  const schema = (value: unknown, place: Place, around: readonly JsonMap[] = []): Schema => {
    const { besideRef, openapi } = place.document.dialect;
    if (++nodes > mostNodes) {
      const message = `the requests have more than ${mostNodes} schemas`;
      return nodes > mostNodes + 1 || fail(place, message, "split the tier, or drop `validate` where it matters least");
    }
    if (typeof value === "boolean") return value;
    const before = dropped;
    if (!isMap(value)) return drop(place, `${place.name} is no schema`, "a schema is a map");
    const ref = typeof value.$ref === "string" ? reference(value.$ref, place) : undefined;
    if (ref !== undefined && (!besideRef || Object.keys(value).length === 1)) return ref;
    const result: Record<string, unknown> = {};
    for (const it of wordsOf(value, place.document.dialect)) spell(it, value, place, result);
    if (openapi && result.required !== undefined) {
      const all = [...around, value];
      const names = tried(place, undefined, () => requiredOfRequests(place.document, all, listOf(result.required)));
      if (names !== true && names.length > 0) result.required = names;
      else delete result.required;
    }
    if (dropped > before) unclosed(value, result);
    const own = openapi === "3.0" ? nullable(value, result) : result;
    if (dropped > before) loose.add(own);
    return ref === undefined ? own : { allOf: [ref, own] };
  };

  const spell = (it: Word, all: JsonMap, place: Place, result: Record<string, unknown>): void => {
    const { word, value } = it;
    const { dialect } = place.document;
    const here = beneath(place, ...it.written);
    if (Object.hasOwn(values, word)) {
      // 3.0 has `exclusiveMinimum: true`.
      const odd = dialect.openapi === "3.0" && word.startsWith("exclusive") && typeof value === "boolean";
      if (odd || values[word]?.fits(value)) result[word] = value;
      else drop(here, `${word} is ${values[word]?.is}`);
    } else if (single.includes(word)) {
      if (Array.isArray(value)) drop(here, `${word} is one schema`, "a list of them is prefixItems: […]");
      else result[word] = schema(value, here);
    } else if (several.includes(word)) {
      if (!Array.isArray(value) || value.length === 0) drop(here, `${word} is a list of schemas`);
      else if (value.length > mostMembers) drop(here, `${word} has more than ${mostMembers} schemas`);
      else {
        const around = word === "allOf" ? [all] : [];
        result[word] = value.map((one: Json, index: number) => schema(one, beneath(here, index), around));
      }
    } else if (named.includes(word)) {
      if (!isMap(value)) drop(here, `${word} is a map of schemas`);
      else if (Object.keys(value).length > mostMembers) {
        const remedy = "put some into a schema of their own: allOf: [{ $ref: … }]";
        drop(here, `${word} has more than ${mostMembers} schemas`, remedy);
      } else result[word] = mapped(value, here, word === "patternProperties");
    } else if (word === "pattern") {
      if (typeof value !== "string") drop(here, "pattern is a text");
      else {
        const read = pattern(value, here);
        if (read !== undefined) result.pattern = read;
      }
    } else if (word === "format") formatOf(value, here, result);
    else {
      if (word.startsWith("content")) result[word] = value;
      unspoken(word, all, place);
    }
  };

  const mapped = (all: JsonMap, place: Place, areNamedByPattern: boolean): Record<string, Schema> =>
    Object.fromEntries(
      Object.entries(all).flatMap(([key, it]) => {
        const here = { ...beneath(place, key), name: key };
        const name = areNamedByPattern ? pattern(key, here) : key;
        return name === undefined ? [] : [[name, schema(it, here)]];
      }),
    );

  /** Undefined for one that no gate may run. */
  const pattern = (text: string, place: Place): string | undefined => {
    const read = quick(text);
    if (read.pattern !== undefined) return read.pattern;
    drop(place, `the pattern "${shortened(text)}" ${read.why}`, read.remedy);
    return undefined;
  };

  const formatOf = (format: unknown, place: Place, result: Record<string, unknown>): void => {
    if (typeof format !== "string") return void drop(place, "format is a text");
    const words = wordsOfFormat(format);
    if (words) Object.assign(result, { ...words, ...result });
    else {
      dropped++;
      note({ where: place.name, what: `the format "${format}" is not checked` });
    }
  };

  /** A word that nothing is checked by. */
  const unspoken = (word: string, all: JsonMap, place: Place): void => {
    const { dialect } = place.document;
    if (foreign.includes(word) || (word === "$id" && place.path.length > 0))
      return void drop(place, `${place.name} has ${word}`, "name schemas by their place: #/$defs/…", word);
    if (word.startsWith("x-") || word === "$id" || annotations.includes(word)) return;
    if (word.startsWith("content")) return void note({ where: place.name, what: `${word} is not checked` });
    if (dialect.openapi && openApiWords.includes(word)) return;
    if (dialect.openapi) return void note({ where: place.name, what: `the word "${word}" is not checked` });
    if (word === "nullable")
      return void fail(
        place,
        "nullable is a word of OpenAPI 3.0",
        `write type: [${JSON.stringify(all.type)}, "null"]`,
        word,
      );
    fail(place, `no schema has the word "${word}"`, choice(word, allWords) ?? "what it is for is said by x-…", word);
  };

  return { schema, definitions: () => done, note, notes: () => [...notes.values()], faults, loose, broken, fail };
};

/** What nothing else may be beside is only known where all that may be is checked. */
const unclosed = (value: JsonMap, result: Record<string, unknown>): void => {
  const isPartial = (word: string): boolean =>
    Object.keys(mapOf(value[word])).length > Object.keys(mapOf(result[word])).length;
  if (isPartial("properties") || isPartial("patternProperties")) delete result.additionalProperties;
  if (value.prefixItems !== undefined && result.prefixItems === undefined) delete result.items;
  delete result.unevaluatedProperties;
  delete result.unevaluatedItems;
};

/** Of a pattern, as much as one reads. */
const shortened = (text: string): string => (text.length > 120 ? `${text.slice(0, 120)}…` : text);
