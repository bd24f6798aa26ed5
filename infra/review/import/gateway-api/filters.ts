/** Filters of the Gateway API as filters of a manifest. One that cannot be carried over may not be skipped either: its requests are refused. */
import { registry } from "../../../project/registry.ts";
import type { Filter } from "./resources/schema.ts";

export type Written = Readonly<Record<string, unknown>>;

export interface Translated {
  readonly filters: readonly Written[];
  /** In place of an upstream. */
  readonly redirect?: Written;
}

/** What a filter needs to know of its route. */
export interface Around {
  /** Of the match: what ReplacePrefixMatch takes away. */
  readonly prefix: string | undefined;
  /** The URL of a backend, or undefined where it is invalid, which has been told then. */
  readonly urlOf: (backend: NonNullable<Filter["requestMirror"]>["backendRef"]) => string | undefined;
}

/** @throws SyntaxError with a sentence that says what has no equivalent */
export const translated = (filter: Filter, around: Around): Translated => {
  const { requestHeaderModifier: request, responseHeaderModifier: response, cors, requestMirror: mirror } = filter;
  if (request) return { filters: [sound("headers", { request: headers(request) })] };
  if (response) return { filters: [sound("headers", { response: headers(response) })] };
  if (cors) return { filters: [sound("cors", corsOf(cors))] };
  if (filter.urlRewrite) return { filters: [sound("rewrite", rewriteOf(filter.urlRewrite, around))] };
  if (filter.requestRedirect) {
    const { redirect } = sound("redirect", redirectOf(filter.requestRedirect, around));
    return { filters: [], redirect: redirect as Written };
  }
  if (mirror) {
    const to = around.urlOf(mirror.backendRef);
    return { filters: to === undefined ? [] : [{ mirror: { to, ...shareOf(mirror) } }] };
  }
  throw new SyntaxError(`a filter of the type ${filter.type} has no equivalent`);
};

/** What the filter itself takes. */
const sound = (name: string, config: Written): Written => {
  const result = registry.filters[name]?.schema.safeParse(config);
  const issue = result?.error?.issues[0];
  const message = issue?.code === "invalid_key" ? issue.issues[0]?.message : issue?.message;
  if (issue) throw new SyntaxError([issue.path.join("."), message].filter(Boolean).join(": "));
  return { [name]: config };
};

type Modifier = NonNullable<Filter["requestHeaderModifier"]>;

export const headers = ({ set, add, remove }: Modifier): Written => {
  const values = (all: Modifier["set"]) =>
    Object.fromEntries(all.map(({ name, value }) => [name.toLowerCase(), literal(value)]));
  return {
    ...(set.length > 0 && { set: values(set) }),
    ...(add.length > 0 && { add: values(add) }),
    ...(remove.length > 0 && { remove: remove.map((name) => name.toLowerCase()) }),
  };
};

const literal = (text: string): string => {
  if (/[{}]/.test(text)) throw new SyntaxError(`"${text}" has a brace, which a manifest reads as a reference`);
  return text;
};

const pathChange = (path: NonNullable<Filter["urlRewrite"]>["path"], prefix: string | undefined): Written => {
  if (!path) return {};
  if (path.type === "ReplaceFullPath") return { path: literal(path.replaceFullPath || "/") };
  if (prefix === undefined) throw new SyntaxError("ReplacePrefixMatch stands beside a match that is no prefix");
  const put = path.replacePrefixMatch.replace(/\/$/, "");
  return { ...(prefix !== "" && { "strip-prefix": prefix }), ...(put !== "" && { "put-prefix": put }) };
};

const rewriteOf = ({ hostname, path }: NonNullable<Filter["urlRewrite"]>, { prefix }: Around): Written => ({
  ...pathChange(path, prefix),
  ...(hostname !== undefined && { host: hostname.toLowerCase() }),
});

const redirectOf = (it: NonNullable<Filter["requestRedirect"]>, { prefix }: Around): Written => {
  const changes = {
    ...(it.scheme !== undefined && { scheme: it.scheme }),
    ...(it.hostname !== undefined && { host: it.hostname.toLowerCase() }),
    ...(it.port !== undefined && { port: it.port }),
    ...pathChange(it.path, prefix),
  };
  // With nothing to change it leads to where it is.
  const same = prefix ? { "strip-prefix": prefix, "put-prefix": prefix } : {};
  return { ...(Object.keys(changes).length > 0 ? changes : same), status: it.statusCode };
};

const corsOf = (it: NonNullable<Filter["cors"]>): Written => {
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

const shareOf = ({ percent, fraction }: NonNullable<Filter["requestMirror"]>): Written => {
  const share = fraction ? (100 * fraction.numerator) / fraction.denominator : percent;
  if (share === undefined) return {};
  if (!(share >= 0 && share <= 100)) throw new SyntaxError(`a mirror's share is 0 to 100 per cent, not ${share}`);
  return { share: `${Number(share.toFixed(4))}%` };
};
