/** Rejects YAML features that a manifest does not support, and rewords the parser's errors. */
import { type Alias, isAlias, isMap, isScalar, isSeq, type Node, type YAMLError, type YAMLMap } from "yaml";
import type { ProblemCode } from "./codes.ts";

interface YamlProblem {
  readonly range: readonly [number, number];
  readonly message: string;
  readonly remedy?: string;
}

/** After the first syntax error the parser reports many follow-up errors; only the first ones are kept. */
export const describeYamlErrors = (errors: readonly YAMLError[]): YamlProblem[] => {
  const seen = new Set<string>();
  return errors
    .filter(({ code }) => !cascadingCodes.has(code) || (!seen.has(code) && seen.add(code)))
    .slice(0, maxErrors)
    .filter(({ code }, index) => index === 0 || code !== "UNEXPECTED_TOKEN")
    .map(({ code, message, pos }) => {
      const [sentence, remedy] = message.startsWith("Flow ") ? unclosed : (messages[code] ?? []);
      return { range: pos, message: sentence ?? lowerFirst(message), ...(remedy && { remedy }) };
    });
};

const maxErrors = 5;

/** Codes that one mistake causes many times. */
const cascadingCodes: ReadonlySet<string> = new Set([
  "UNEXPECTED_TOKEN",
  "MISSING_CHAR",
  "BAD_INDENT",
  "MULTILINE_IMPLICIT_KEY",
  "BLOCK_AS_IMPLICIT_KEY",
]);

const unclosed = ["a [ or { above this line is not closed", "look for the missing ] or }"] as const;

const lowerFirst = (message: string): string => message.charAt(0).toLowerCase() + message.slice(1).replace(/\.$/, "");

const messages: Readonly<Partial<Record<YAMLError["code"], readonly [message: string, remedy?: string]>>> = {
  TAB_AS_INDENT: ["a tab is used to indent this line", "indent with spaces"],
  BAD_INDENT: ["this line is not indented like the lines around it", "give all keys of a map the same indentation"],
  MISSING_CHAR: ["something is not closed here", "look for a missing : , ] } or quote on this line or above"],
  UNEXPECTED_TOKEN: ["this does not belong here", "look for a missing quote, bracket or line break before it"],
  MULTIPLE_DOCS: ["a second document begins here", "a file is one document; remove the line `---`"],
  MULTILINE_IMPLICIT_KEY: ["a key spans more than one line", "look for a missing : or quote"],
  BLOCK_AS_IMPLICIT_KEY: ["a map or list begins in the middle of a line", "begin it on a line of its own"],
  BLOCK_IN_FLOW: ["a block is inside [ ] or { }", "write it with [ ] or { } too"],
  BAD_DQ_ESCAPE: ["this escape has no meaning in double quotes", "write \\\\ for a backslash, or use single quotes"],
  BAD_SCALAR_START: ["a plain text cannot begin with this character", "put the text in quotes"],
  BAD_ALIAS: ["this alias names no anchor above it", "write the value out"],
  ALIAS_PROPS: ["an alias has no tag or anchor of its own"],
  TAG_RESOLVE_FAILED: ["a manifest has no tags", "remove the word with !"],
  BAD_DIRECTIVE: ["a manifest has no directives", "remove the line with %"],
  KEY_OVER_1024_CHARS: ["a key of more than 1024 characters", "look for a missing : or quote"],
  RESOURCE_EXHAUSTION: ["the file needs more work than a manifest may", "write it without aliases, and less deep"],
};

/**
 * The offset at which brackets are nested deeper than `maxDepth`, found without a parser, which would run out of stack. Brackets in strings
 * count too.
 */
export const flowDepth = (text: string, maxDepth: number): number | undefined => {
  const compact = new RegExp(`(?:^|\\n)(?:[ \\t]*[-?:][ \\t]+){${maxDepth},}`).exec(text);
  if (compact) return compact.index + (text[compact.index] === "\n" ? 1 : 0);
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === "[" || character === "{") depth++;
    else if ((character === "]" || character === "}") && depth > 0) depth--;
    if (depth > maxDepth) return at;
  }
  return undefined;
};

/**
 * The offset of the first line that is nested deeper than `maxLevels` by indentation, found without a parser, which needs stack for each level. The
 * lines of a block scalar count too.
 */
export const indentDepth = (text: string, maxLevels: number): number | undefined => {
  const indents: number[] = [];
  for (const { index, 1: indent = "" } of text.matchAll(/^( *)[^ \r\n]/gm)) {
    while ((indents.at(-1) ?? -1) >= indent.length) indents.pop();
    indents.push(indent.length);
    if (indents.length > maxLevels) return index + indent.length;
  }
  return undefined;
};

interface UnsupportedYaml {
  readonly node: Node;
  readonly first?: Node;
  readonly code: ProblemCode;
  readonly message: string;
  readonly remedy: string;
}

/** Finds well-formed YAML that a manifest does not support. */
export const findUnsupported = (root: Node | null, maxDepth: number): UnsupportedYaml[] => {
  const found: UnsupportedYaml[] = [];
  const anchors = new Set<string>();
  const openAnchors: string[] = [];
  const walk = (node: Node | null, depth: number): void => {
    if (!node) return;
    if (isAlias(node)) {
      const problem = checkAlias(node, anchors, openAnchors);
      if (problem) found.push(problem);
      return;
    }
    if (depth > maxDepth) {
      const message = `values are nested more than ${maxDepth} deep`;
      found.push({ node, code: "too-large", message, remedy: "a manifest is flat" });
      return;
    }
    if (node.tag !== undefined && !("tag" in node && isPlainTag(node.tag)))
      found.push({ node, code: "bad-yaml", message: "a manifest has no tags", remedy: "remove the word with !" });
    const anchor = "anchor" in node ? node.anchor : undefined;
    if (anchor) openAnchors.push(anchor);
    if (isSeq(node)) for (const item of node.items) walk(item as Node | null, depth + 1);
    if (isMap(node)) walkMap(node, depth);
    if (anchor) anchors.add(openAnchors.pop() as string);
  };
  const walkMap = (map: YAMLMap, depth: number): void => {
    const first = new Map<string, Node>();
    for (const { key, value } of map.items) {
      walk(value as Node | null, depth + 1);
      const problem = checkKey(key as Node | null, first);
      if (problem) found.push(problem);
    }
  };
  walk(root, 0);
  return found;
};

const checkAlias = (
  node: Alias,
  anchors: ReadonlySet<string>,
  openAnchors: readonly string[],
): UnsupportedYaml | undefined => {
  const remedy = "write the value out";
  if (openAnchors.includes(node.source))
    return { node, code: "bad-yaml", message: "this alias is inside the value that it repeats", remedy };
  if (anchors.has(node.source)) return undefined;
  return { node, code: "bad-yaml", message: `no anchor "${node.source}" is defined above this alias`, remedy };
};

const isPlainTag = (tag: string): boolean => /^tag:yaml\.org,2002:(?:map|seq|str|int|float|bool|null)$/.test(tag);

const checkKey = (key: Node | null, first: Map<string, Node>): UnsupportedYaml | undefined => {
  if (!key) return undefined;
  if (!isScalar(key))
    return {
      node: key,
      code: "bad-yaml",
      message: "a key has to be a text",
      remedy: "put a text with brackets in quotes",
    };
  // YAML would convert it to an empty text.
  if (key.value === null)
    return {
      node: key,
      code: "bad-yaml",
      message: "a key has to be a text",
      remedy: "put null in quotes, or use another key",
    };
  const word = String(key.value);
  const before = first.get(word);
  if (before)
    return {
      node: key,
      first: before,
      code: "duplicate-key",
      message: `the key "${word}" is in this map twice`,
      remedy: "keep one of the two",
    };
  first.set(word, key);
  // It would be lost, since it sets the prototype.
  if (word === "__proto__")
    return { node: key, code: "reserved-name", message: '"__proto__" cannot be a key', remedy: "use another key" };
  if (word === "<<")
    return { node: key, code: "bad-yaml", message: "a manifest has no merge keys", remedy: "write the keys out" };
  return undefined;
};
