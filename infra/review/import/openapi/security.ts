/** Security schemes of OpenAPI as filters of identity, where they mean the same. */
import { isMap, type JsonMap, listOf, mapOf, type OpenApi, resolved, stringIn } from "../../../openapi/document.ts";
import type { Operation } from "../../../openapi/operations.ts";
import type { Gap } from "../imported.ts";

export interface Secured {
  /** A line of the manifest's `filters`, and its id. */
  readonly filter: { readonly id: string; readonly line: string } | undefined;
  /** Operations that drop it. */
  readonly open: (operation: Operation) => boolean;
  readonly gaps: readonly Gap[];
}

/** @param keys whether every environment has the namespace in which API keys are looked up */
export const securedBy = (
  document: OpenApi,
  operations: readonly Operation[],
  tier: string,
  keys: boolean,
): Secured => {
  const schemes = mapOf(mapOf(document.root.components).securitySchemes);
  const named = Map.groupBy(operations, (it) => needOf(document, it));
  const gaps: Gap[] = [];
  let filter: Secured["filter"];
  let chosen: string | undefined;
  for (const [need, some] of named) {
    if (need === "") continue;
    const scheme = mapOf(resolved(document, schemes[need]));
    const found = Object.hasOwn(schemes, need) ? filterFor(scheme, tier, keys) : undefined;
    if (found && filter === undefined) {
      [filter, chosen] = [found, need];
      if (found.guess) gaps.push({ kind: "otherwise", where: `security ${need}`, what: found.guess });
    } else if (chosen !== need)
      gaps.push({ kind: "left-out", where: `security ${need}`, what: lacking(scheme, some.length, keys) });
  }
  // Who needs another scheme stays behind the one that became a filter: closed to all rather than open to all.
  return { filter, open: (it) => filter !== undefined && needOf(document, it) === "", gaps };
};

/** The scheme that is needed; several in words, none as an empty text. */
const needOf = ({ root }: OpenApi, { value }: Operation): string => {
  const either = listOf(value.security ?? root.security).filter(isMap);
  if (either.length === 0 || either.some((it) => Object.keys(it).length === 0)) return "";
  return either.map((it) => Object.keys(it).join(" and ")).join(" or ");
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

const takesHeader = ({ name }: JsonMap): boolean => /^[A-Za-z0-9-]+$/.test(String(name));

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
