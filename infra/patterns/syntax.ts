/**
 * Reads regular expressions of ECMAScript as a tree: those of the flag `u`, and the older ones of ECMA-262, Annex B.1.2, which most
 * documents are written in (`\-`, `\_`, `[\w-.]`, a lone `}`). A dialect that gives the same text another meaning is refused.
 */
export type Node =
  /** One character: a literal, a class, an escape, or the dot. */
  | { readonly kind: "character"; readonly text: string }
  /** `^`, `$`, `\b`, `\B`. */
  | { readonly kind: "boundary"; readonly text: string }
  | { readonly kind: "backreference"; readonly text: string }
  | { readonly kind: "sequence"; readonly parts: readonly Node[] }
  | { readonly kind: "either"; readonly branches: readonly Node[] }
  /** `open` is `(`, `(?:` or `(?<name>`; of a lookaround `(?=`, `(?!`, `(?<=`, `(?<!`. */
  | { readonly kind: "group" | "look"; readonly open: string; readonly body: Node }
  | {
      readonly kind: "repeat";
      readonly body: Node;
      readonly least: number;
      readonly most: number;
      readonly lazy: boolean;
    };

/** Nesting limit. */
const maxDepth = 100;

/** @throws SyntaxError with the unsupported syntax */
export const parsePattern = (pattern: string): Node => {
  if (literalPattern.test(pattern))
    throw new SyntaxError("it is a literal of JavaScript: write the text between its slashes");
  const node = isValid(pattern, "u") || isValid(pattern, "") ? parse(pattern) : undefined;
  if (!node) throw new SyntaxError("it is not a regular expression of ECMAScript");
  // Annex B syntax that is not covered here is rejected.
  if (!isValid(toPattern(node), "u"))
    throw new SyntaxError("it is not a regular expression of ECMAScript with the flag u");
  return node;
};

/** `/^[a-z]+$/i`: as a pattern it requires a slash before the beginning, so it never matches. */
const literalPattern = /^\/\^.*\$\/[dgimsuvy]*$/s;

export const isValid = (text: string, flags: string): boolean => {
  try {
    new RegExp(text, flags);
    return true;
  } catch {
    return false;
  }
};

/** The pattern of a tree, in the syntax of the flag `u`. */
export const toPattern = (node: Node): string => {
  switch (node.kind) {
    case "sequence":
      return node.parts.map(toPattern).join("");
    case "either":
      return node.branches.map(toPattern).join("|");
    case "group":
    case "look":
      return `${node.open}${toPattern(node.body)})`;
    case "repeat":
      return `${toPattern(node.body)}${quantifier(node)}${node.lazy ? "?" : ""}`;
    default:
      return node.text;
  }
};

const quantifier = ({ least, most }: { readonly least: number; readonly most: number }): string => {
  if (most === Number.POSITIVE_INFINITY) return least === 0 ? "*" : least === 1 ? "+" : `{${least},}`;
  if (least === 0 && most === 1) return "?";
  return least === most ? `{${least}}` : `{${least},${most}}`;
};

const token =
  /\\(?:[pP]\{[^}]*\}|u\{[0-9a-fA-F]+\}|u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|c[A-Za-z]|k<[^>]*>|\d+|.)|\(\?(?:[:=!]|<[=!]|<[^>]*>|.)|\{(?:\d+(?:,\d*)?|,\d+)\}|./suy;

// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a recursive descent over one position
const parse = (pattern: string): Node => {
  let at = 0;
  const peek = (): string => {
    token.lastIndex = at;
    return token.exec(pattern)?.[0] ?? "";
  };
  const take = (): string => {
    const text = peek();
    at += text.length;
    return text;
  };

  const alternation = (depth: number): Node => {
    if (depth > maxDepth) throw new SyntaxError("its groups are nested too deeply");
    const branches = [sequence(depth)];
    while (peek() === "|") {
      take();
      branches.push(sequence(depth));
    }
    return branches.length === 1 ? (branches[0] as Node) : { kind: "either", branches };
  };

  const sequence = (depth: number): Node => {
    const parts: Node[] = [];
    for (let next = peek(); next !== "" && next !== "|" && next !== ")"; next = peek())
      parts.push(repeated(atom(depth)));
    return { kind: "sequence", parts };
  };

  const repeated = (body: Node): Node => {
    const range = parseQuantifier(peek());
    if (!range) return body;
    take();
    const lazy = peek() === "?";
    if (lazy) take();
    return { kind: "repeat", body, ...range, lazy };
  };

  const atom = (depth: number): Node => {
    const text = take();
    if (text.startsWith("(")) {
      const isLookaround = /^\(\?<?[=!]/.test(text);
      if (!isLookaround && !/^\((?:\?:|\?<[^>]+>)?$/.test(text)) throw new SyntaxError(`${text} is of another dialect`);
      const body = alternation(depth + 1);
      take();
      return { kind: isLookaround ? "look" : "group", open: text, body };
    }
    if (text === "[") return { kind: "character", text: characterClass() };
    if (text === "^" || text === "$" || text === "\\b" || text === "\\B") return { kind: "boundary", text };
    if (/^\\(?:[1-9]|k<)/.test(text)) return { kind: "backreference", text };
    if (text.startsWith("\\")) return { kind: "character", text: parseEscape(text, false) };
    if (text.startsWith("{,")) throw new SyntaxError(`${text} is of another dialect: write {0${text.slice(1)}`);
    return { kind: "character", text: /^[{}\]]$/.test(text) ? `\\${text}` : text };
  };

  /** A class without set operations; its `[` is read. */
  const characterClass = (): string => {
    if (/^:[a-z]+:\]/.test(pattern.slice(at + 1)) && pattern[at] === "[")
      throw new SyntaxError("classes such as [[:alpha:]] are of another dialect");
    const parts: string[] = [];
    if (peek() === "^") parts.push(take());
    const first = parts.length;
    let holdsOpen = false;
    for (let text = take(); text !== "]" && text !== ""; text = take()) {
      // Within a class `(?:`, `{2}` and the like are single characters.
      if (text.length > 1 && !text.startsWith("\\")) {
        at -= text.length - 1;
        text = text.slice(0, 1);
      }
      if (text === "[") holdsOpen = true;
      if (text === "-") parts.push(isDash(parts.slice(first), peek()) ? "\\-" : "-");
      else parts.push(text.startsWith("\\") ? parseEscape(text, true) : /[[({})/|]/.test(text) ? `\\${text}` : text);
    }
    // `[a-z-[aeiou]]` of .NET, `[a-z&&[^b]]` of Java, and a bracket that comes first, `[^]a]`, elsewhere.
    const rest = pattern.slice(at);
    if ((holdsOpen && rest.startsWith("]")) || (parts.length === first && /^[^[\]\\]*\]/.test(rest)))
      throw new SyntaxError("classes with brackets in them are of another dialect: write \\[ and \\]");
    return `[${parts.join("")}]`;
  };

  const tree = alternation(0);
  if (at < pattern.length) throw new SyntaxError("it is not a regular expression of ECMAScript");
  return tree;
};

const parseQuantifier = (text: string): { readonly least: number; readonly most: number } | undefined => {
  if (text === "*") return { least: 0, most: Number.POSITIVE_INFINITY };
  if (text === "+") return { least: 1, most: Number.POSITIVE_INFINITY };
  if (text === "?") return { least: 0, most: 1 };
  const [, least, comma, most] = /^\{(\d+)(,(\d*))?\}$/.exec(text) ?? [];
  if (least === undefined) return undefined;
  if (comma === undefined) return { least: Number(least), most: Number(least) };
  return { least: Number(least), most: most === "" ? Number.POSITIVE_INFINITY : Number(most) };
};

/** Whether a `-` is literal: at either end of a class, after a range, or beside a class escape (`[\w-.]`). */
const isDash = (before: readonly string[], next: string): boolean => {
  const previous = before.at(-1);
  const isRangeBefore = before.at(-2) === "-" && before.length >= 3;
  return previous === undefined || next === "]" || isRangeBefore || isClass(previous) || isClass(next);
};

const isClass = (text: string): boolean => /^\\[dDsSwWpP]/.test(text);

const parseEscape = (text: string, isInClass: boolean): string => {
  const kind = text[1] ?? "";
  if (/^\\(?:[dDsSwWtnvfr]|[pP]\{|u[\d{a-fA-F]|x[\da-fA-F]{2}|c[A-Za-z]|0$)/.test(text)) return text;
  if (isInClass && (text === "\\b" || text === "\\-")) return text;
  if (/^[\^$\\.*+?()[\]{}|/]$/.test(kind) && text.length === 2) return text;
  if (/[A-Za-z0-9]/.test(kind)) throw new SyntaxError(`${text} is of another dialect`);
  return isInClass && kind === "-" ? "\\-" : text.slice(1);
};
