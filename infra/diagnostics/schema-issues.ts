/** Turns zod issues into problems with a location and a remedy. */
import { closest, distance } from "fastest-levenshtein";
import type { $ZodIssue, $ZodType } from "zod/v4/core";
import type { ProblemCode } from "./codes.ts";
import { type Path, valueAt } from "./locate.ts";
import type { Problem } from "./problem.ts";
import type { Source } from "./source.ts";

export interface ValidationContext {
  readonly source: Source;
  /** Path of the value in the file. */
  readonly at: Path;
  readonly value: unknown;
  readonly schema: $ZodType;
  /** The owner of the keys, for messages: `jwt`, `the manifest`. */
  readonly noun: string;
  /** The file that values of `${…}` come from. */
  readonly environment: string;
}

/** The closest word of a list, if any is similar enough. */
export const nearest = (word: string, words: readonly string[]): string | undefined => {
  if (words.length === 0) return undefined;
  // Bounded, since a hint is not worth much time.
  const near = closest(word, words.slice(0, 200));
  // Two short words have nothing in common when every letter differs.
  return distance(word, near) <= Math.min(2 + word.length / 4, word.length - 1) ? near : undefined;
};

const didYouMean = (word: string, words: readonly string[]): string | undefined => {
  const near = nearest(word, words);
  return near === undefined ? undefined : `did you mean "${near}"?`;
};

/** "did you mean", or the whole list of choices if it is short. */
export const choice = (word: string, words: readonly string[]): string | undefined =>
  didYouMean(word, words) ?? (words.length > 0 && words.length <= 12 ? `one of ${words.join(", ")}` : undefined);

/** The end of a sentence about an unknown name: the nearest one, or those that there are, or else the fallback. */
export const existing = (word: string, words: readonly string[], fallback: string): string =>
  didYouMean(word, words) ??
  (words.length > 0 && words.length <= 12
    ? `there ${words.length === 1 ? "is" : "are"} ${words.join(", ")}`
    : fallback);

/** The problems of a value by its schema. A misspelt key is not reported as missing too. */
export const problemsFromIssues = (found: readonly $ZodIssue[], context: ValidationContext): Problem[] => {
  const issues = found.flatMap((issue) => resolveUnion(issue, context));
  const misspelt = issues.flatMap((issue) => {
    if (issue.code !== "unrecognized_keys") return [];
    const meant = issue.keys.flatMap((key) => nearest(key, keysAt(context.schema, issue.path)) ?? []);
    return meant.map((key) => pathKey([...issue.path, key]));
  });
  return issues
    .filter(({ path }) => !misspelt.includes(pathKey(path)) || valueAt(context.value, path) !== undefined)
    .flatMap((issue) => problemsFromIssue(issue, context));
};

/** Bounds names from files in messages. */
const truncate = (text: string): string => (text.length > 60 ? `${text.slice(0, 59)}…` : text);

const pathKey = (path: Path): string => path.join("\n");

/** For a union, returns the issues of the member that was probably meant: the one whose type the value has. */
export const resolveUnion = (issue: $ZodIssue, context: Pick<ValidationContext, "value">): $ZodIssue[] => {
  const value = valueAt(context.value, issue.path);
  if (issue.code !== "invalid_union" || value === undefined) return [issue];
  const sameTypeIssues = issue.errors.filter(
    (all) => !all.some((it) => it.path.length === 0 && isTypeMismatch(it, value)),
  );
  const [meant] =
    sameTypeIssues.length === 1
      ? sameTypeIssues
      : sameTypeIssues.filter((all) => !all.some(({ code }) => code === "unrecognized_keys"));
  // If the member is a single literal, the message for the whole union is more helpful.
  const [only] = meant ?? [];
  if (only?.code === "invalid_value" && only.path.length === 0 && only.values.length === 1) return [issue];
  return meant?.flatMap((it) => resolveUnion({ ...it, path: [...issue.path, ...it.path] }, context)) ?? [issue];
};

const isTypeMismatch = (issue: $ZodIssue, value: unknown): boolean =>
  issue.code === "invalid_type" ||
  (issue.code === "invalid_value" && issue.values.every((it) => typeof it !== typeof value));

const problemsFromIssue = (issue: $ZodIssue, context: ValidationContext): Problem[] => {
  const { source } = context;
  const at = [...context.at, ...issue.path];
  const last = String(issue.path.findLast((step) => typeof step === "string") ?? context.noun);
  if (issue.code === "unrecognized_keys") return unknownKeys(issue.keys, issue.path, context);
  if (issue.code === "invalid_key")
    return issue.issues.map(({ message }) =>
      source.problem(
        at.slice(0, -1),
        "wrong-format",
        `"${truncate(last)}": ${customMessage(message) ?? "this is not a valid name"}`,
        {
          key: last,
        },
      ),
    );
  if (issue.path.length > 0 && valueAt(context.value, issue.path) === undefined) {
    const holder = containerName(issue.path.slice(0, -1), context.noun);
    return [source.problem(at, "missing-key", `${holder} needs "${last}"`, { remedy: missingKeyRemedy(issue, last) })];
  }
  const { code, message, remedy } = describeIssue(issue, last, context);
  return [source.problem(at, code, message, { remedy: remedy ?? variableRemedy(at, context) })];
};

const unknownKeys = (
  keys: readonly string[],
  path: Path,
  { source, at, noun, schema }: ValidationContext,
): Problem[] => {
  const known = keysAt(schema, path);
  return keys.map((key) => {
    const remedy = didYouMean(key, known) ?? `its keys are ${known.join(", ")}`;
    return source.problem(
      [...at, ...path],
      "unknown-key",
      `${truncate(containerName(path, noun))} has no "${truncate(key)}"`,
      {
        remedy,
        key,
      },
    );
  });
};

interface IssueText {
  readonly code: ProblemCode;
  readonly message: string;
  readonly remedy?: string | undefined;
}

const describeIssue = (issue: $ZodIssue, last: string, context: ValidationContext): IssueText => {
  const named = issue.path.length > 0 ? `"${truncate(last)}"` : last;
  switch (issue.code) {
    case "invalid_type":
      return { code: "wrong-type", message: customMessage(issue.message) ?? `${named} is ${typeName(issue.expected)}` };
    case "invalid_union":
      return {
        code: "wrong-type",
        message: customMessage(issue.message) ?? `${named} has the wrong type`,
      };
    case "invalid_value": {
      const value = valueAt(context.value, issue.path);
      const shownValue = typeof value === "object" ? JSON.stringify(value).slice(0, 40) : String(value);
      const remedy = choice(shownValue, issue.values.map(String));
      return { code: "unknown-value", message: `${named} cannot be "${truncate(shownValue)}"`, remedy };
    }
    case "too_small":
      return {
        code: "out-of-range",
        message: customMessage(issue.message) ?? `${named} has ${amount(issue)} at least`,
      };
    case "too_big":
      return { code: "out-of-range", message: customMessage(issue.message) ?? `${named} has ${amount(issue)} at most` };
    case "invalid_format":
      return { code: "wrong-format", message: customMessage(issue.message) ?? `${named} has an invalid format` };
    default:
      // Our own text parsers report format errors this way, see `explain`.
      if (issue.code === "custom" && issue.params?.format) return { code: "wrong-format", message: issue.message };
      return { code: "invalid", message: customMessage(issue.message) ?? `${named} is not valid` };
  }
};

const amount = (issue: { origin: string; minimum?: unknown; maximum?: unknown }): string => {
  const count = String(issue.minimum ?? issue.maximum);
  const noun = { string: "character", array: "entry", map: "entry" }[issue.origin];
  if (noun === undefined) return count;
  return `${count} ${count === "1" ? noun : noun.replace(/y$/, "ie").concat("s")}`;
};

/** For a value from the environment, the remedy names the environment's file. */
const variableRemedy = (at: Path, { source, environment }: ValidationContext): string | undefined => {
  const written = source.textAt(at);
  return /^["']?\$\{[a-z0-9-]+\}["']?$/.test(written) ? `${written} comes from ${environment}` : undefined;
};

/** The message if one of our schemas set it; undefined for the library's default. */
const customMessage = (message: string): string | undefined =>
  /^(?:Invalid|Too (?:small|big)|Unrecognized)\b/.test(message) ? undefined : message;

const missingKeyRemedy = (issue: $ZodIssue, key: string): string | undefined => {
  if (issue.code === "invalid_value") return `write ${key}: ${issue.values.map(String).join(" | ")}`;
  return customMessage(issue.message) ?? `add ${key}: …`;
};

const typeNames: Readonly<Record<string, string>> = {
  record: "a map",
  object: "a map",
  array: "a list",
  string: "a text",
  boolean: "true or false",
  number: "a number",
  int: "a whole number",
};
const typeName = (expected: string): string => typeNames[expected] ?? expected;

/** `routes.transfer` is the route transfer; another map is called by its key. */
const containerName = (path: Path, whole: string): string => {
  const names = path.filter((step) => typeof step === "string");
  if (names[0] === "routes" && names[1] !== undefined) return `the route ${names[1]}`;
  return names.at(-1) ?? whole;
};

// biome-ignore lint/suspicious/noExplicitAny: walks the schema's own structure, which has no public type
type Def = any;

/** The keys that a strict object takes, `path` deep in a schema. */
export const keysAt = (schema: $ZodType, path: Path): string[] => {
  const at: Def = schemaAt(schema, path);
  const options: Def[] = unwrap(at)?._zod.def.options ?? [at];
  return options.flatMap((it) => Object.keys(unwrap(it)?._zod.def.shape ?? {}));
};

/** The schema of the value that a path leads to, or undefined where that is not one of one kind. */
export const schemaAt = (schema: $ZodType, path: Path): $ZodType | undefined => {
  let at: Def = schema;
  for (const step of path) {
    const def: Def = unwrap(at)?._zod.def;
    at = def?.type === "object" ? def.shape[step] : def?.type === "record" ? def.valueType : def?.element;
  }
  return at;
};

const innerOf = (schema: Def): Def => {
  const def: Def = schema?._zod.def;
  return def?.innerType ?? (def?.type === "pipe" ? def.in : undefined);
};

const unwrap = (schema: Def): Def => {
  let at = schema;
  // A transformation's input is what people write.
  while (innerOf(at)) at = innerOf(at);
  return at;
};
