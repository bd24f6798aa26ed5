/** First cases for a tier that has none: what its gate answers today, to a stranger and to somebody whom it knows. */
import { Document } from "yaml";
import type { Compiled } from "../compiler/compile.ts";
import { read } from "../diagnostics/source.ts";
import { alone, requestOf } from "../review/diff/picture/examples.ts";
import type { Answer } from "./input/batch.ts";
import { caseFile, mostCases } from "./input/language.ts";
import { lowerSuite } from "./input/lower.ts";
import { type Keys, someoneFor } from "./input/personas.ts";
import { casesIn, type Suite } from "./input/read.ts";
import type { Runtime } from "./runtime.ts";

interface Draft {
  readonly it: string;
  readonly as?: string;
  readonly send: string | { readonly request: string; readonly headers: Readonly<Record<string, string>> };
  readonly expect: object;
}

/** The file as it will be. */
export const firstCases = async (
  { tier, file }: Suite,
  compiled: Compiled,
  keys: Keys,
  runtime: Runtime,
): Promise<string> => {
  const all = tier.routes.flatMap((route): Draft[] => {
    const [example] = alone({ checked: route });
    if (!example) return [];
    const { method, url, headers } = requestOf({ ...example, host: "any" });
    const { pathname, search } = new URL(url);
    const request = `${method} ${pathname}${search}`;
    const given = Object.fromEntries(headers);
    const send = Object.keys(given).length > 0 ? { request, headers: given } : request;
    const someone = someoneFor(route.chain, compiled.consumers);
    const stranger: Draft = { it: `${route.name} to a stranger`, send, expect: {} };
    return someone === undefined
      ? [{ ...stranger, it: route.name }]
      : [{ it: `${route.name} to ${someone}`, as: someone, send, expect: {} }, stranger];
  });
  const drafts = all.slice(0, mostCases);
  const source = read(file, textOf(drafts));
  const { cases } = casesIn(source, caseFile(), tier, compiled.surrounding);
  const { batch } = await lowerSuite({ tier, file, source, cases }, compiled, keys);
  const told = drafts.length === 0 ? [] : await runtime.run(batch);
  return textOf(
    drafts.flatMap((it, index): Draft[] => {
      const one = told[index];
      if (one && "failed" in one)
        throw new Error(`${file} is not written, since "${it.it}" cannot be tried: ${one.failed}`);
      const answer = one?.[0]?.[0]?.answers[0];
      return answer ? [{ ...it, it: saysOf(answer, it.it), expect: expectedOf(answer) }] : [];
    }),
  );
};

const saysOf = ({ status, code }: Answer, what: string): string =>
  status < 400 ? `serves ${what}` : `refuses ${what} (${code ?? status})`;

const expectedOf = ({ status, code, by, route }: Answer): object => ({
  status,
  ...(code !== null && { code }),
  ...(by !== null && { by }),
  ...(route !== "" && { route }),
});

const head = `# yaml-language-server: $schema=./cases.schema.json
# First cases: what the gate answers today. Say what it should do, and what it must not.
`;

const textOf = (drafts: readonly Draft[]): string => {
  const document = new Document(drafts, { aliasDuplicateObjects: false });
  for (const index of drafts.keys())
    for (const key of ["send", "expect"]) {
      const node = document.getIn([index, key], true);
      if (typeof node === "object" && node !== null && "items" in node) Object.assign(node, { flow: true });
    }
  return head + String(document.toString({ lineWidth: 120 })).replaceAll(/\n- /g, "\n\n- ");
};
