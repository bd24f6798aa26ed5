/** Collects what a translation of schemas cannot check: problems, notes, and the number of checks that were dropped. */
import { DocumentError } from "./document.ts";
import type { SchemaLocation } from "./references.ts";

/** What is wrong with a schema. */
export interface SchemaProblem {
  readonly location: SchemaLocation;
  /** The keyword concerned, if any. */
  readonly keyword?: string | undefined;
  readonly message: string;
  readonly remedy: string | undefined;
}

/** A part of a document that is not checked, or checked in a way that the document leaves open. */
export interface Note {
  /** `otherwise`: checked in a way that the document leaves open. Unset: not checked. */
  readonly kind?: "otherwise";
  /** The subject: `order`, `GET /orders`. */
  readonly where: string;
  readonly what: string;
}

export interface Findings {
  readonly note: (note: Note) => void;
  /** Adds a problem. Returns `true`, a schema that accepts everything. */
  readonly fail: (location: SchemaLocation, message: string, remedy?: string, keyword?: string) => true;
  /** For an imported document, drops the check and notes it; for the project's own schema, adds a problem. */
  readonly drop: Findings["fail"];
  /** Notes a check that is dropped. */
  readonly noteDropped: (note: Note) => void;
  /** Turns a DocumentError into a problem. */
  readonly attempt: <T>(location: SchemaLocation, keyword: string | undefined, work: () => T) => T | true;
  /** Distinct notes. */
  readonly notes: () => readonly Note[];
  readonly problems: readonly SchemaProblem[];
  /** How many checks were dropped. */
  readonly dropped: () => number;
}

/** Limits the problems of a file that is not a schema at all. */
const maxProblems = 50;

export const createFindings = (): Findings => {
  const notes = new Map<string, Note>();
  const problems: SchemaProblem[] = [];
  let dropped = 0;

  const note: Findings["note"] = (it) => void notes.set(JSON.stringify(it), it);

  const fail: Findings["fail"] = (location, message, remedy, keyword) => {
    if (problems.length < maxProblems) problems.push({ location, message, remedy, keyword });
    return true;
  };

  const noteDropped: Findings["note"] = (it) => {
    dropped++;
    note(it);
  };

  const drop: Findings["fail"] = (location, message, remedy, keyword) => {
    if (!location.document.dialect.openapi) return fail(location, message, remedy, keyword);
    noteDropped({ where: location.name, what: `${message}; it is not checked` });
    return true;
  };

  const attempt = <T>(location: SchemaLocation, keyword: string | undefined, work: () => T): T | true => {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof DocumentError)) throw error;
      return fail(location, error.message, error.remedy, keyword);
    }
  };

  return { note, fail, drop, noteDropped, attempt, notes: () => [...notes.values()], problems, dropped: () => dropped };
};
