/** Generates initial cases for a tier without any: what its gate answers today to an anonymous and to an identified caller. */
import { Document } from "yaml";
import type { Compiled } from "../compiler/compile.ts";
import { parseSource } from "../diagnostics/source.ts";
import { routeExamples, toRequest } from "../review/diff/picture/examples.ts";
import type { ObservedResponse } from "./input/batch.ts";
import { caseFile, maxCases } from "./input/language.ts";
import { lowerSuite } from "./input/lower.ts";
import { personaFor, type RunKeys } from "./input/personas.ts";
import { parseCases, type Suite } from "./input/read.ts";
import type { Runtime } from "./runtime.ts";

interface Draft {
  readonly it: string;
  readonly as?: string;
  readonly send: string | { readonly request: string; readonly headers: Readonly<Record<string, string>> };
  readonly expect: object;
}

/** @returns the content of the case file */
export const firstCases = async (
  { tier, file }: Suite,
  compiled: Compiled,
  keys: RunKeys,
  runtime: Runtime,
): Promise<string> => {
  const all = tier.routes.flatMap((route): Draft[] => {
    const [example] = routeExamples({ checked: route });
    if (!example) return [];
    const { method, url, headers } = toRequest({ ...example, host: "any" });
    const { pathname, search } = new URL(url);
    const request = `${method} ${pathname}${search}`;
    const requestHeaders = Object.fromEntries(headers);
    const send = Object.keys(requestHeaders).length > 0 ? { request, headers: requestHeaders } : request;
    const consumer = personaFor(route.chain, compiled.consumers);
    const anonymous: Draft = { it: `${route.name} to an anonymous caller`, send, expect: {} };
    return consumer === undefined
      ? [{ ...anonymous, it: route.name }]
      : [{ it: `${route.name} to ${consumer}`, as: consumer, send, expect: {} }, anonymous];
  });
  const drafts = all.slice(0, maxCases);
  const source = parseSource(file, serialize(drafts));
  const { cases } = parseCases(source, caseFile(), tier, compiled.partialEnvironment);
  const { batch } = await lowerSuite({ tier, file, source, cases }, compiled, keys);
  const results = drafts.length === 0 ? [] : await runtime.run(batch);
  return serialize(
    drafts.flatMap((it, index): Draft[] => {
      const result = results[index];
      if (result && "failed" in result)
        throw new Error(`${file} is not written, since "${it.it}" cannot be tried: ${result.failed}`);
      const answer = result?.[0]?.[0]?.answers[0];
      return answer ? [{ ...it, it: caseTitle(answer, it.it), expect: expectation(answer) }] : [];
    }),
  );
};

const caseTitle = ({ status, code }: ObservedResponse, what: string): string =>
  status < 400 ? `serves ${what}` : `refuses ${what} (${code ?? status})`;

const expectation = ({ status, code, by, route }: ObservedResponse): object => ({
  status,
  ...(code !== null && { code }),
  ...(by !== null && { by }),
  ...(route !== "" && { route }),
});

const header = `# yaml-language-server: $schema=./cases.schema.json
# First cases: what the gate answers today. Say what it should do, and what it must not.
`;

const serialize = (drafts: readonly Draft[]): string => {
  const document = new Document(drafts, { aliasDuplicateObjects: false });
  for (const index of drafts.keys())
    for (const key of ["send", "expect"]) {
      const node = document.getIn([index, key], true);
      if (typeof node === "object" && node !== null && "items" in node) Object.assign(node, { flow: true });
    }
  return header + String(document.toString({ lineWidth: 120 })).replaceAll(/\n- /g, "\n\n- ");
};
