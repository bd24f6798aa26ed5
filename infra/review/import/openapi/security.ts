/** Translates OpenAPI security schemes to identity filters, where they are equivalent. */
import {
  DocumentError,
  isMap,
  type JsonMap,
  listOf,
  mapOf,
  type OpenApi,
  resolveRefs,
  stringIn,
} from "../../../openapi/document.ts";
import type { Operation } from "../../../openapi/operations.ts";
import type { Gap } from "../imported.ts";

export interface SecurityResult {
  /** A line of the manifest's `filters`, and its id. */
  readonly filter: { readonly id: string; readonly line: string } | undefined;
  /** Operations that drop it. */
  readonly isOpen: (operation: Operation) => boolean;
  /** Why it is unknown who may call an operation; no route is made then. */
  readonly whyUnread: (operation: Operation) => string | undefined;
  readonly gaps: readonly Gap[];
}

/** Who may call an operation. */
interface SecurityNeed {
  /** The schemes, in words; empty if none is needed. */
  readonly text: string;
  /** Anonymous callers may call it too. */
  readonly optional: boolean;
  readonly scopes: readonly string[];
  readonly whyUnread?: string;
}

/** @param canLookUpKeys whether every environment has the namespace for API keys */
export const translateSecurity = (
  document: OpenApi,
  operations: readonly Operation[],
  tier: string,
  canLookUpKeys: boolean,
): SecurityResult => {
  const needs = new Map(operations.map((it) => [it, readNeed(document, it)]));
  const needFor = (it: Operation): SecurityNeed => needs.get(it) ?? readNeed(document, it);
  const named = Map.groupBy(
    operations.filter((it) => needFor(it).whyUnread === undefined && needFor(it).text !== ""),
    (it) => needFor(it).text,
  );
  const gaps: Gap[] = [];
  let filter: SecurityResult["filter"];
  let chosenScheme: string | undefined;
  for (const [text, users] of named) {
    const scheme = findScheme(document, text) ?? {};
    const found = filterFor(scheme, tier, canLookUpKeys);
    if (found && filter === undefined) {
      [filter, chosenScheme] = [found, text];
      if (found.assumption) gaps.push({ kind: "otherwise", where: `security ${text}`, what: found.assumption });
    } else if (chosenScheme !== text)
      gaps.push({
        kind: "left-out",
        where: `security ${text}`,
        what: describeMissing(scheme, users.length, canLookUpKeys),
      });
    if (scheme.deprecated === true)
      gaps.push({ kind: "otherwise", where: `security ${text}`, what: "the scheme is deprecated" });
  }
  for (const it of operations) gaps.push(...uncheckedNeeds(it, needFor(it), chosenScheme));
  // Operations that need another scheme keep the filter: closed to everyone rather than open to everyone.
  return {
    filter,
    isOpen: (it) => filter !== undefined && (needFor(it).text === "" || needFor(it).optional),
    whyUnread: (it) => needFor(it).whyUnread,
    gaps,
  };
};

/** Parts of a requirement that no filter checks, although its scheme has become a filter. */
const uncheckedNeeds = (
  { method, path }: Operation,
  { text, optional, scopes }: SecurityNeed,
  chosenScheme: string | undefined,
): Gap[] => {
  const where = `${method} ${path}`;
  if (text === "") return [];
  if (optional) return [{ kind: "otherwise", where, what: `security ${text} is optional, so it is not required` }];
  if (scopes.length === 0 || text !== chosenScheme) return [];
  const what = `the scopes ${scopes.join(", ")} are not checked; give the route a jwt with scopes`;
  return [{ kind: "left-out", where, what }];
};

const readNeed = (document: OpenApi, { value }: Operation): SecurityNeed => {
  const none: SecurityNeed = { text: "", optional: false, scopes: [] };
  const written = Object.hasOwn(value, "security") ? value.security : document.root.security;
  if (written === undefined) return none;
  if (!Array.isArray(written)) return { ...none, whyUnread: "security is not a list" };
  for (const it of written) {
    if (!isMap(it)) return { ...none, whyUnread: "a security requirement is not a map of schemes" };
    const unknownScheme = Object.keys(it).find((name) => findScheme(document, name) === undefined);
    if (unknownScheme !== undefined)
      return { ...none, whyUnread: `no scheme of the document is called "${unknownScheme}"` };
    const invalidScopes = Object.entries(it).find(([, scopes]) => scopes !== null && !Array.isArray(scopes));
    if (invalidScopes) return { ...none, whyUnread: `the scopes of ${invalidScopes[0]} are not a list` };
  }
  const alternatives = written.filter((it) => Object.keys(it).length > 0) as readonly JsonMap[];
  return {
    text: [...new Set(alternatives.map((it) => Object.keys(it).join(" and ")))].join(" or "),
    optional: alternatives.length < written.length,
    scopes: [
      ...new Set(alternatives.flatMap((it) => Object.values(it).flatMap((scopes) => listOf(scopes).map(String)))),
    ],
  };
};

/** Resolved by the name of a component, or in 3.2 by a reference. Undefined if it cannot be read. */
const findScheme = (document: OpenApi, name: string): JsonMap | undefined => {
  try {
    const all = mapOf(resolveRefs(document, mapOf(resolveRefs(document, document.root.components)).securitySchemes));
    const named = Object.hasOwn(all, name) ? all[name] : name.includes("#/") ? { $ref: name } : undefined;
    const scheme = named === undefined ? undefined : resolveRefs(document, named);
    return isMap(scheme) && typeof scheme.type === "string" ? scheme : undefined;
  } catch (error) {
    if (!(error instanceof DocumentError)) throw error;
    return undefined;
  }
};

const filterFor = (scheme: JsonMap, tier: string, canLookUpKeys: boolean) => {
  const type = stringIn(scheme, "type");
  if (type === "apiKey" && scheme.in === "header" && canLookUpKeys) {
    const header = (stringIn(scheme, "name") ?? "").toLowerCase();
    return isSupportedHeader(scheme)
      ? { id: "api-key", line: `api-key: { header: ${header} }`, assumption: "" }
      : undefined;
  }
  const [, issuer] =
    /^(https?:\/\/[^\s"]+?)\/\.well-known\/openid-configuration$/.exec(stringIn(scheme, "openIdConnectUrl") ?? "") ??
    [];
  if (type !== "openIdConnect" || issuer === undefined) return undefined;
  return {
    id: "jwt",
    line: `jwt: { issuer: ${JSON.stringify(issuer)}, audience: ${tier}, algorithms: [RS256, ES256] }`,
    assumption: `the document does not say for whom tokens are meant; see whether the audience is "${tier}", and where the issuer has its keys`,
  };
};

const isSupportedHeader = ({ name }: JsonMap): boolean => typeof name === "string" && /^[A-Za-z0-9-]+$/.test(name);

const describeMissing = (scheme: JsonMap, count: number, canLookUpKeys: boolean): string => {
  const kind = [stringIn(scheme, "type"), stringIn(scheme, "scheme"), stringIn(scheme, "in")].filter(Boolean).join(" ");
  const operationCount = count === 1 ? "one operation that needs it" : `${count} operations that need it`;
  const remedy =
    kind === "apiKey header" && !isSupportedHeader(scheme)
      ? "give them a filter of identity: api-key takes headers of letters, digits and hyphens"
      : kind === "apiKey header" && !canLookUpKeys
        ? "give the environments the KV namespace `consumers`, and the tier the filter api-key"
        : kind.startsWith("http bearer") || kind.startsWith("oauth2")
          ? "give the tier the filter jwt, with issuer and audience"
          : "give them a filter of identity";
  return `no filter checks ${kind || "it"} for the ${operationCount}; ${remedy}`;
};
