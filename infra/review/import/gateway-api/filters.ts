/** Translates Gateway API filters to manifest filters. A filter without an equivalent is never skipped: its requests are refused. */
import { registry } from "../../../project/registry.ts";
import type { Filter } from "./resources/schema.ts";

export type Settings = Readonly<Record<string, unknown>>;

export interface TranslatedFilter {
  readonly filters: readonly Settings[];
  /** In place of an upstream. */
  readonly redirect?: Settings;
}

/** The properties of the route that a filter depends on. */
export interface FilterContext {
  /** The prefix of the match, which ReplacePrefixMatch removes. */
  readonly prefix: string | undefined;
  /** The URL of a backend, or undefined if it is invalid, which is reported then. */
  readonly urlOf: (backend: NonNullable<Filter["requestMirror"]>["backendRef"]) => string | undefined;
}

/** @throws SyntaxError with a sentence that says what has no equivalent */
export const translateFilter = (filter: Filter, context: FilterContext): TranslatedFilter => {
  const { requestHeaderModifier: request, responseHeaderModifier: response, cors, requestMirror: mirror } = filter;
  if (request) return { filters: [validated("headers", { request: headerSettings(request) })] };
  if (response) return { filters: [validated("headers", { response: headerSettings(response) })] };
  if (cors) return { filters: [validated("cors", corsSettings(cors))] };
  if (filter.urlRewrite) return { filters: [validated("rewrite", rewriteSettings(filter.urlRewrite, context))] };
  if (filter.requestRedirect) {
    const { redirect } = validated("redirect", redirectSettings(filter.requestRedirect, context));
    return { filters: [], redirect: redirect as Settings };
  }
  if (mirror) {
    const to = context.urlOf(mirror.backendRef);
    return { filters: to === undefined ? [] : [{ mirror: { to, ...mirrorShare(mirror) } }] };
  }
  throw new SyntaxError(`a filter of the type ${filter.type} has no equivalent`);
};

/** The fields of the filter itself. */
const validated = (name: string, config: Settings): Settings => {
  const result = registry.filters[name]?.schema.safeParse(config);
  const issue = result?.error?.issues[0];
  const message = issue?.code === "invalid_key" ? issue.issues[0]?.message : issue?.message;
  if (issue) throw new SyntaxError([issue.path.join("."), message].filter(Boolean).join(": "));
  return { [name]: config };
};

type HeaderModifier = NonNullable<Filter["requestHeaderModifier"]>;

export const headerSettings = ({ set, add, remove }: HeaderModifier): Settings => {
  const values = (all: HeaderModifier["set"]) =>
    Object.fromEntries(all.map(({ name, value }) => [name.toLowerCase(), literalText(value)]));
  return {
    ...(set.length > 0 && { set: values(set) }),
    ...(add.length > 0 && { add: values(add) }),
    ...(remove.length > 0 && { remove: remove.map((name) => name.toLowerCase()) }),
  };
};

const literalText = (text: string): string => {
  if (/[{}]/.test(text)) throw new SyntaxError(`"${text}" has a brace, which a manifest reads as a reference`);
  return text;
};

const pathSettings = (path: NonNullable<Filter["urlRewrite"]>["path"], prefix: string | undefined): Settings => {
  if (!path) return {};
  if (path.type === "ReplaceFullPath") return { path: literalText(path.replaceFullPath || "/") };
  if (prefix === undefined) throw new SyntaxError("ReplacePrefixMatch requires a match of a prefix");
  const newPrefix = path.replacePrefixMatch.replace(/\/$/, "");
  return { ...(prefix !== "" && { "strip-prefix": prefix }), ...(newPrefix !== "" && { "put-prefix": newPrefix }) };
};

const rewriteSettings = (
  { hostname, path }: NonNullable<Filter["urlRewrite"]>,
  { prefix }: FilterContext,
): Settings => ({
  ...pathSettings(path, prefix),
  ...(hostname !== undefined && { host: hostname.toLowerCase() }),
});

const redirectSettings = (it: NonNullable<Filter["requestRedirect"]>, { prefix }: FilterContext): Settings => {
  const changes = {
    ...(it.scheme !== undefined && { scheme: it.scheme }),
    ...(it.hostname !== undefined && { host: it.hostname.toLowerCase() }),
    ...(it.port !== undefined && { port: it.port }),
    ...pathSettings(it.path, prefix),
  };
  // Without a change it would redirect to itself.
  const same = prefix ? { "strip-prefix": prefix, "put-prefix": prefix } : {};
  return { ...(Object.keys(changes).length > 0 ? changes : same), status: it.statusCode };
};

const corsSettings = (it: NonNullable<Filter["cors"]>): Settings => {
  const { allowOrigins: origins, allowMethods: methods, allowHeaders, exposeHeaders } = it;
  const everybody = origins.some((origin) => /^(?:https?:\/\/)?\*$/.test(origin));
  const all = (names: readonly string[]) => (names.includes("*") ? "*" : names.map((name) => name.toLowerCase()));
  return {
    origins,
    ...(methods.length > 0 && !methods.includes("*") && { methods }),
    headers: all(allowHeaders),
    expose: all(exposeHeaders),
    ...(it.allowCredentials && { credentials: everybody ? "everybody" : true }),
    "max-age": `${it.maxAge}s`,
  };
};

const mirrorShare = ({ percent, fraction }: NonNullable<Filter["requestMirror"]>): Settings => {
  const share = fraction ? (100 * fraction.numerator) / fraction.denominator : percent;
  if (share === undefined) return {};
  if (!(share >= 0 && share <= 100)) throw new SyntaxError(`a mirror's share is 0 to 100 per cent, not ${share}`);
  return { share: `${Number(share.toFixed(4))}%` };
};
