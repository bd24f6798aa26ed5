/** Turns a schema's issues into problems with a place and a remedy. */
import { closest, distance } from "fastest-levenshtein";
import type { $ZodIssue, $ZodType } from "zod/v4/core";
import type { Problem, ProblemCode } from "./problem.ts";
import type { Path, Source } from "./read.ts";

export interface Asked {
  readonly source: Source;
  /** Where the value stands in the file. */
  readonly at: Path;
  readonly value: unknown;
  readonly schema: $ZodType;
  /** What has the keys: `jwt`, `the manifest`. */
  readonly noun: string;
  /** The file that values of `${…}` come from. */
  readonly environment: string;
}

const nearest = (word: string, words: readonly string[]): string | undefined => {
  if (words.length === 0) return undefined;
  const near = closest(word, words);
  return distance(word, near) <= 2 + word.length / 4 ? near : undefined;
};

const didYouMean = (word: string, words: readonly string[]): string | undefined => {
  const near = nearest(word, words);
  return near === undefined ? undefined : `did you mean "${near}"?`;
};

/** "did you mean", or else the whole choice where it is short. */
export const choice = (word: string, words: readonly string[]): string | undefined =>
  didYouMean(word, words) ?? (words.length > 0 && words.length <= 12 ? `one of ${words.join(", ")}` : undefined);

/** What a schema finds wrong with a value. A key that is misspelt is not missing as well. */
export const problemsOf = (issues: readonly $ZodIssue[], asked: Asked): Problem[] => {
  const misspelt = issues.flatMap((issue) => {
    if (issue.code !== "unrecognized_keys") return [];
    const meant = issue.keys.flatMap((key) => nearest(key, keysAt(asked.schema, issue.path)) ?? []);
    return meant.map((key) => pathOf([...issue.path, key]));
  });
  return issues
    .filter(({ path }) => !misspelt.includes(pathOf(path)))
    .flatMap((issue) => problemsOfIssue(issue, asked));
};

const pathOf = (path: Path): string => path.join("\n");

const problemsOfIssue = (issue: $ZodIssue, asked: Asked): Problem[] => {
  const at = [...asked.at, ...issue.path];
  const noun = nounOf(issue.path, asked.noun);
  const last = String(issue.path.findLast((step) => typeof step === "string") ?? asked.noun);
  const written = asked.source.text(at);
  const foreign = written.includes("${") ? `${written} comes from ${asked.environment}` : undefined;
  const say = (code: ProblemCode, message: string, remedy = foreign, key?: string) =>
    asked.source.problem(at, code, message, { remedy, ...(key !== undefined && { key }) });

  if (issue.code === "unrecognized_keys") {
    const keys = keysAt(asked.schema, issue.path);
    return issue.keys.map((key) => {
      const remedy = didYouMean(key, keys) ?? `its keys are ${keys.join(", ")}`;
      return say("unknown-key", `${noun} has no "${key}"`, remedy, key);
    });
  }
  if (issue.path.length > 0 && valueAt(asked.value, issue.path) === undefined) {
    const holder = nounOf(issue.path.slice(0, -1), asked.noun);
    return [say("missing-key", `${holder} needs "${last}"`, remedyFor(issue, last))];
  }
  switch (issue.code) {
    case "invalid_type":
      return [
        say(
          "wrong-type",
          own(issue.message) ?? `${issue.path.length > 0 ? `"${last}"` : last} is ${typed(issue.expected)}`,
        ),
      ];
    case "invalid_union":
      return [say("wrong-type", own(issue.message) ?? `"${last}" is of another type than it takes`)];
    case "invalid_value": {
      const value = valueAt(asked.value, issue.path);
      const given = typeof value === "object" ? JSON.stringify(value).slice(0, 40) : String(value);
      return [say("unknown-value", `"${last}" cannot be "${given}"`, choice(given, issue.values.map(String)))];
    }
    case "too_small":
    case "too_big":
      return [say("out-of-range", `"${last}": ${issue.message.replace(/^Too/, "too")}`)];
    case "invalid_key":
      return issue.issues.map(({ message }) =>
        asked.source.problem(at.slice(0, -1), "wrong-format", `"${last}": ${message}`, { key: last }),
      );
    case "invalid_format":
      return [say("wrong-format", issue.message)];
    default:
      return [say("invalid", issue.message)];
  }
};

/** A message that a schema of ours gave, and not the library's own. */
const own = (message: string): string | undefined => (message.startsWith("Invalid input") ? undefined : message);

const remedyFor = (issue: $ZodIssue, key: string): string | undefined => {
  if (issue.code === "invalid_value") return `write ${key}: ${issue.values.map(String).join(" | ")}`;
  return own(issue.message);
};

const valueAt = (value: unknown, path: Path): unknown =>
  path.reduce((it: unknown, step) => (it as Record<PropertyKey, unknown> | undefined | null)?.[step], value);

const types: Readonly<Record<string, string>> = {
  record: "a map",
  object: "a map",
  array: "a list",
  string: "a text",
  boolean: "true or false",
  number: "a number",
};
const typed = (expected: string): string => types[expected] ?? expected;

/** `routes.transfer` is the route transfer; another map is called by its key. */
const nounOf = (path: Path, whole: string): string => {
  const names = path.filter((step) => typeof step === "string");
  if (names[0] === "routes" && names[1] !== undefined) return `the route ${names[1]}`;
  return names.at(-1) ?? whole;
};

// biome-ignore lint/suspicious/noExplicitAny: walks the schema's own structure, which has no public type
type Def = any;

/** The keys that a strict object takes, `path` deep in a schema. */
const keysAt = (schema: $ZodType, path: Path): string[] => {
  let at: Def = schema;
  for (const step of path) {
    const def: Def = unwrapped(at)?._zod.def;
    at = def?.type === "object" ? def.shape[step] : def?.type === "record" ? def.valueType : def?.element;
  }
  return Object.keys(unwrapped(at)?._zod.def.shape ?? {});
};

const unwrapped = (schema: Def): Def => {
  let at = schema;
  while (at?._zod.def.innerType) at = at._zod.def.innerType;
  return at;
};
