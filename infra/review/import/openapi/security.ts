/** Security schemes of OpenAPI as filters of identity, where they mean the same. */
import {
  DocumentError,
  isMap,
  type JsonMap,
  listOf,
  mapOf,
  type OpenApi,
  resolved,
  stringIn,
} from "../../../openapi/document.ts";
import type { Operation } from "../../../openapi/operations.ts";
import type { Gap } from "../imported.ts";

export interface Secured {
  /** A line of the manifest's `filters`, and its id. */
  readonly filter: { readonly id: string; readonly line: string } | undefined;
  /** Operations that drop it. */
  readonly open: (operation: Operation) => boolean;
  /** Why nobody knows who may call an operation; no route is made of it. */
  readonly unread: (operation: Operation) => string | undefined;
  readonly gaps: readonly Gap[];
}

/** Who may call an operation. */
interface Need {
  /** The schemes, in words; empty where none is needed. */
  readonly text: string;
  /** Who brings none may call it too. */
  readonly optional: boolean;
  readonly scopes: readonly string[];
  readonly unread?: string;
}

/** @param keys whether every environment has the namespace in which API keys are looked up */
export const securedBy = (
  document: OpenApi,
  operations: readonly Operation[],
  tier: string,
  keys: boolean,
): Secured => {
  const needs = new Map(operations.map((it) => [it, needOf(document, it)]));
  const need = (it: Operation): Need => needs.get(it) ?? needOf(document, it);
  const named = Map.groupBy(
    operations.filter((it) => need(it).unread === undefined && need(it).text !== ""),
    (it) => need(it).text,
  );
  const gaps: Gap[] = [];
  let filter: Secured["filter"];
  let chosen: string | undefined;
  for (const [text, some] of named) {
    const scheme = schemeOf(document, text) ?? {};
    const found = filterFor(scheme, tier, keys);
    if (found && filter === undefined) {
      [filter, chosen] = [found, text];
      if (found.guess) gaps.push({ kind: "otherwise", where: `security ${text}`, what: found.guess });
    } else if (chosen !== text)
      gaps.push({ kind: "left-out", where: `security ${text}`, what: lacking(scheme, some.length, keys) });
    if (scheme.deprecated === true)
      gaps.push({ kind: "otherwise", where: `security ${text}`, what: "the scheme is deprecated" });
  }
  for (const it of operations) gaps.push(...besides(it, need(it), chosen));
  // Who needs another scheme stays behind the one that became a filter: closed to all rather than open to all.
  return {
    filter,
    open: (it) => filter !== undefined && (need(it).text === "" || need(it).optional),
    unread: (it) => need(it).unread,
    gaps,
  };
};

/** What of a requirement no filter checks, though its scheme has become one. */
const besides = ({ method, path }: Operation, { text, optional, scopes }: Need, chosen: string | undefined): Gap[] => {
  const where = `${method} ${path}`;
  if (text === "") return [];
  if (optional) return [{ kind: "otherwise", where, what: `security ${text} is optional, so nobody is asked for it` }];
  if (scopes.length === 0 || text !== chosen) return [];
  const what = `the scopes ${scopes.join(", ")} are not checked; give the route a jwt with scopes`;
  return [{ kind: "left-out", where, what }];
};

const needOf = (document: OpenApi, { value }: Operation): Need => {
  const none: Need = { text: "", optional: false, scopes: [] };
  const written = Object.hasOwn(value, "security") ? value.security : document.root.security;
  if (written === undefined) return none;
  if (!Array.isArray(written)) return { ...none, unread: "security is no list" };
  for (const it of written) {
    if (!isMap(it)) return { ...none, unread: "a requirement of security is no map of schemes" };
    const strange = Object.keys(it).find((name) => schemeOf(document, name) === undefined);
    if (strange !== undefined) return { ...none, unread: `no scheme of the document is called "${strange}"` };
    const odd = Object.entries(it).find(([, scopes]) => scopes !== null && !Array.isArray(scopes));
    if (odd) return { ...none, unread: `the scopes of ${odd[0]} are no list` };
  }
  const either = written.filter((it) => Object.keys(it).length > 0) as readonly JsonMap[];
  return {
    text: [...new Set(either.map((it) => Object.keys(it).join(" and ")))].join(" or "),
    optional: either.length < written.length,
    scopes: [...new Set(either.flatMap((it) => Object.values(it).flatMap((scopes) => listOf(scopes).map(String))))],
  };
};

/** By the name of a component, or, in 3.2, by a reference. Undefined where it cannot be read. */
const schemeOf = (document: OpenApi, name: string): JsonMap | undefined => {
  try {
    const all = mapOf(resolved(document, mapOf(resolved(document, document.root.components)).securitySchemes));
    const named = Object.hasOwn(all, name) ? all[name] : name.includes("#/") ? { $ref: name } : undefined;
    const scheme = named === undefined ? undefined : resolved(document, named);
    return isMap(scheme) && typeof scheme.type === "string" ? scheme : undefined;
  } catch (error) {
    if (!(error instanceof DocumentError)) throw error;
    return undefined;
  }
};

const filterFor = (scheme: JsonMap, tier: string, keys: boolean) => {
  const type = stringIn(scheme, "type");
  if (type === "apiKey" && scheme.in === "header" && keys) {
    const header = (stringIn(scheme, "name") ?? "").toLowerCase();
    return takesHeader(scheme) ? { id: "api-key", line: `api-key: { header: ${header} }`, guess: "" } : undefined;
  }
  const [, issuer] =
    /^(https?:\/\/[^\s"]+?)\/\.well-known\/openid-configuration$/.exec(stringIn(scheme, "openIdConnectUrl") ?? "") ??
    [];
  if (type !== "openIdConnect" || issuer === undefined) return undefined;
  return {
    id: "jwt",
    line: `jwt: { issuer: ${JSON.stringify(issuer)}, audience: ${tier}, algorithms: [RS256, ES256] }`,
    guess: `the document does not say for whom tokens are meant; see whether the audience is "${tier}", and where the issuer has its keys`,
  };
};

const takesHeader = ({ name }: JsonMap): boolean => typeof name === "string" && /^[A-Za-z0-9-]+$/.test(name);

const lacking = (scheme: JsonMap, count: number, keys: boolean): string => {
  const kind = [stringIn(scheme, "type"), stringIn(scheme, "scheme"), stringIn(scheme, "in")].filter(Boolean).join(" ");
  const who = count === 1 ? "one operation that needs it" : `${count} operations that need it`;
  const remedy =
    kind === "apiKey header" && !takesHeader(scheme)
      ? "give them a filter of identity: api-key takes headers of letters, digits and hyphens"
      : kind === "apiKey header" && !keys
        ? "give the environments the KV namespace `consumers`, and the tier the filter api-key"
        : kind.startsWith("http bearer") || kind.startsWith("oauth2")
          ? "give the tier the filter jwt, with issuer and audience"
          : "give them a filter of identity";
  return `no filter checks ${kind || "it"} for the ${who}; ${remedy}`;
};
