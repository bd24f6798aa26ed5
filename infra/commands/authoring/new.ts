/** `postern new filter|upstream <name>`: scaffolds a part that passes the law suite, and its test. */
import fs from "node:fs";
import path from "node:path";
import { filterSettings, upstreamSettings } from "../../../functions/manifest/manifest.ts";
import { partNames } from "../../gen/registries.ts";
import { codeRoot, writeChanged } from "../../project/generated-files.ts";
import type { Outcome } from "../../terminal/outcome.ts";
import { gen } from "./gen.ts";

interface Options {
  /** A filter that knows who is calling. */
  readonly identity?: true | undefined;
}

export const scaffold = async (kind: string, name: string, { identity }: Options = {}): Promise<Outcome> => {
  if (kind !== "filter" && kind !== "upstream") return usageError(`"${kind}" is neither filter nor upstream`);
  if (identity && kind !== "filter")
    return usageError("only a filter identifies callers: postern new filter <name> --identity");
  if (!/^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/.test(name))
    return usageError(`"${name}" is no name; write lower case with hyphens: geo-fence`);
  if (name.length > 40) return usageError(`"${name}" is too long; a part's name has 40 characters at most`);
  if (reservedNames.includes(name))
    return usageError(`"${name}" already means something beside a ${kind}; call it otherwise`);
  const group = kind === "filter" ? "filters" : "upstreams";
  if (partNames(group).includes(name))
    return usageError(`there is a ${kind} "${name}" already: functions/${group}/${name}.ts`);
  const fillTemplate = (template: string) =>
    fs
      .readFileSync(path.join(import.meta.dirname, "../../gen/templates", template), "utf8")
      .replaceAll("__NAME__", name);
  const template = identity ? "identity" : kind;
  const written = writeChanged(
    [
      { file: `functions/${group}/${name}.ts`, text: fillTemplate(`${template}.ts.txt`) },
      { file: `test/functions/${group}/${name}.test.ts`, text: fillTemplate(`${template}.test.ts.txt`) },
    ],
    codeRoot,
  );
  // This process has loaded the old registries, so it writes them and a second process reads them.
  const { text } = await gen({});
  return {
    exitCode: 0,
    text: `${written.map((file) => `wrote ${file}`).join("\n")}\n${text}\n\nNext: say in its first comment what it does, then npm test`,
    data: { written, kind, name },
  };
};

/** Keys beside a part's name in a manifest. */
const reservedNames: readonly string[] = [
  ...Object.keys(filterSettings().shape),
  ...Object.keys(upstreamSettings().shape).filter((key) => key !== "timeout"),
];

const usageError = (text: string): Outcome => ({ exitCode: 2, text, data: { error: text } });
