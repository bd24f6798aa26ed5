/** Generates initial cases for a tier without any: what its gate answers today to an anonymous and to an identified caller. */
import { Document } from "yaml";
import type { Persona } from "../../functions/gateway/hooks/credentials.ts";
import type { Compiled } from "../compiler/compile.ts";
import type { CheckedFilter, CheckedRoute } from "../compiler/model/checked.ts";
import type { Path } from "../diagnostics/locate.ts";
import { parseSource } from "../diagnostics/source.ts";
import { type ExampleRequest, routeExamples, toRequest } from "../review/diff/picture/examples.ts";
import type { ObservedResponse } from "./input/batch.ts";
import { type CredentialContext, credentialPlaces, routeWithCredentials } from "./input/case-credentials.ts";
import { caseFile, maxCases } from "./input/language.ts";
import { lowerSuite, routeFinder } from "./input/lower.ts";
import { personaFor, type RunKeys, readsCredential } from "./input/personas.ts";
import { parseCases, type Suite } from "./input/read.ts";
import type { Runtime } from "./runtime.ts";

interface Draft {
  readonly it: string;
  readonly as?: string | Persona;
  readonly send: string | { readonly request: string; readonly headers: Readonly<Record<string, string>> };
  readonly expect: object;
}

/** @returns the content of the case file */
export const firstCases = async (
  suite: Suite,
  compiled: Compiled,
  keys: RunKeys,
  runtime: Runtime,
): Promise<string> => {
  const { tier, file } = suite;
  const context: CredentialContext = { suite, compiled, keys, problems: [], routeOf: routeFinder(suite, compiled) };
  const drafts = stateOnce(tier.routes.flatMap((route) => draftsOf(route, context))).slice(0, maxCases);
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

/** A request of an identified caller, if filters identify callers, and one of an anonymous caller. */
const draftsOf = (route: CheckedRoute, context: CredentialContext): Draft[] => {
  const { compiled, suite } = context;
  const host = (suite.tier.manifest.hosts[0] ?? "").replace("*.", "any.");
  const examples = routeExamples({ checked: route }).map((it) => ({ ...it, host }));
  const isTaken = (request: Request) => context.routeOf(request, new URL(request.url))?.name === route.name;
  const anonymous = examples.map(toRequest).find(isTaken);
  const name = personaFor(route.chain, compiled.consumers);
  if (name === undefined) return anonymous ? [{ it: route.name, send: sendOf(anonymous), expect: {} }] : [];
  const identified = identifiedRequest(route, { name }, examples, context);
  return [
    ...(identified
      ? [{ it: `${route.name} to ${name}`, as: statedPersona(name, route), send: sendOf(identified), expect: {} }]
      : []),
    ...(anonymous ? [{ it: `${route.name} to an anonymous caller`, send: sendOf(anonymous), expect: {} }] : []),
  ];
};

/** Conditions on the credential itself are left to the credential, which the case gets when it runs. */
const identifiedRequest = (
  route: CheckedRoute,
  persona: Persona,
  examples: readonly ExampleRequest[],
  context: CredentialContext,
): Request | undefined => {
  const places = credentialPlaces(route, persona, context);
  return examples
    .map((it) => toRequest({ ...it, when: it.when.filter(([on, name]) => !places.includes(`${on}.${name}`)) }))
    .find((it) => routeWithCredentials(it, new URL(it.url), persona, context)?.name === route.name);
};

/** A whole URL where scheme or port are not the usual ones. */
const sendOf = ({ method, url, headers }: Request): Draft["send"] => {
  const { protocol, port, pathname, search, href } = new URL(url);
  const request = `${method} ${protocol === "https:" && port === "" ? pathname + search : href}`;
  const requestHeaders = Object.fromEntries(headers);
  return Object.keys(requestHeaders).length > 0 ? { request, headers: requestHeaders } : request;
};

/** A persona that states what its credential would copy from the configuration, such as issuer and audience. */
const statedPersona = (name: string, { chain }: CheckedRoute): string | Persona => {
  const stated = chain.filter(readsCredential).flatMap((filter): [string, object][] => {
    const { persona } = filter.spec.credentials ?? {};
    const values = Object.keys(persona?.follows?.(filter.config) ?? {}).flatMap((key): [string, string][] => {
      const value = writtenValue(filter, key);
      return value === undefined ? [] : [[key, value]];
    });
    return persona && values.length > 0 ? [[persona.key, Object.fromEntries(values)]] : [];
  });
  return stated.length > 0 ? { name, ...Object.fromEntries(stated) } : name;
};

/** As the manifest has it: a variable of the environment stays one. Of a list, its first value. */
const writtenValue = ({ source, at }: CheckedFilter, key: string): string | undefined => {
  const [value] = [valueAt(source.value, [...at, key])].flat();
  return typeof value === "string" ? value : undefined;
};

const valueAt = (value: unknown, [key, ...rest]: Path): unknown =>
  key === undefined ? value : valueAt(Object(value)[key], rest);

/** One case for each different set of stated values is enough; the others just name the caller. */
const stateOnce = (drafts: readonly Draft[]): Draft[] => {
  const stated = new Set<string>();
  return drafts.map((it) => {
    if (typeof it.as !== "object") return it;
    const text = JSON.stringify(it.as);
    if (stated.has(text)) return { ...it, as: it.as.name };
    stated.add(text);
    return it;
  });
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
    for (const key of ["as", "send", "expect"]) {
      const node = document.getIn([index, key], true);
      if (typeof node === "object" && node !== null && "items" in node) Object.assign(node, { flow: true });
    }
  return header + String(document.toString({ lineWidth: 120 })).replaceAll(/\n- /g, "\n\n- ");
};
