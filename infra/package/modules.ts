/** Reads and rewrites what modules of the package import. */
import path from "node:path";

/** `from "x"`, `import "x"`, `import("x")`; a comment may name modules too, and is harmless. */
const specifier = /(\bfrom\s*|\bimport\s*\(?\s*)"([^"\n]+)"/g;

/** Modules that are found by their path in node_modules. */
const resolved =
  /createRequire\(import\.meta\.url\)(?:\.resolve)?\("([^"\n]+)"\)|import\.meta\.resolve\("([^"\n]+)"\)/g;

/** In declarations the compiler keeps the `.ts` of relative paths. */
export const withJavaScriptPaths = (text: string): string =>
  text.replaceAll(specifier, (whole, before: string, name: string) =>
    name.startsWith(".") ? `${before}"${name.replace(/\.ts$/, ".js")}"` : whole,
  );

/** The names of all modules that a file imports. */
export const importsOf = (text: string): string[] => [
  ...[...text.matchAll(specifier)].map(([, , name = ""]) => name),
  ...[...text.matchAll(resolved)].map(([, required, name]) => required ?? name ?? ""),
];

const isPackage = (name: string): boolean => /^(?:@[\w.-]+\/)?[\w-][\w.-]*(?:\/|$)/.test(name);

/** `zod` of `zod/v4/core`; undefined for a file, a module of a platform, or Postern itself. */
export const packageOf = (name: string): string | undefined => {
  if (name.startsWith(".") || /^(?:node|cloudflare|tier):|^postern\//.test(name) || !isPackage(name)) return undefined;
  return name
    .split("/")
    .slice(0, name.startsWith("@") ? 2 : 1)
    .join("/");
};

const firstComment = /^\/\*\*[\s\S]*?\*\/\n/;

/**
 * Puts the comment that a source begins with before its compiled text. The compiler drops it where an import of types
 * follows, and it is what `postern gen` says of a part.
 */
export const withFirstComment = (source: string, compiled: string): string => {
  const comment = firstComment.exec(source)?.[0];
  return comment === undefined || compiled.startsWith(comment) ? compiled : comment + compiled;
};

/**
 * The declarations that people can reach, from those of the entry points.
 * @param read the text of a declaration file; undefined if there is none
 */
export const reachable = (
  entries: readonly string[],
  read: (file: string) => string | undefined,
): Map<string, string> => {
  const found = new Map<string, string>();
  const visit = (file: string): void => {
    const text = found.has(file) ? undefined : read(file);
    if (text === undefined) return;
    found.set(file, text);
    for (const name of importsOf(text))
      if (name.startsWith(".")) visit(path.posix.join(path.posix.dirname(file), name.replace(/\.[jt]s$/, ".d.ts")));
  };
  entries.forEach(visit);
  return found;
};
