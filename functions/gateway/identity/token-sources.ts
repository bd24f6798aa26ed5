/** Reads the token of a request from the configured sources and removes it before the request is forwarded. */
import { Subprotocol, setFact } from "../core/facts.ts";
import type { Context } from "../core/types.ts";
import { withoutParameter } from "../http/query.ts";

/**
 * @returns the token; undefined when there is none; an empty text when one source has several different ones, since
 * services disagree which of them counts
 */
export type TokenReader = (request: Request, context: Context) => string | undefined;

/** The Authorization header is forwarded unchanged. Every other source is removed. */
export const authorization = "header.authorization";

/**
 * Compiles a reader. The first source with a token counts.
 * @param sources `header.authorization`, `cookie.session`, `query.access_token`, `subprotocol.bearer`
 */
export const tokenReader = (sources: readonly string[]): TokenReader => {
  const readers = sources.map(readerOf);
  const [only] = readers;
  if (only && readers.length === 1) return only;
  return (request, context) => {
    let token: string | undefined;
    // Reads every source, so that each is removed.
    for (const read of readers) {
      const found = read(request, context);
      token ??= found;
    }
    return token;
  };
};

const readerOf = (source: string): TokenReader => {
  if (source === authorization) return inAuthorization;
  const [, kind = "", name = ""] = /^([a-z]+)\.?(.*)$/.exec(source) ?? [];
  return (readers[kind] as (name: string) => TokenReader)(name);
};

/** RFC 6750, section 2.1; the scheme's case does not matter (RFC 9110, section 11.1). */
const bearer = /^bearer +(\S+)$/i;

const inAuthorization: TokenReader = ({ headers }) => bearer.exec(headers.get("authorization") ?? "")?.[1];

const readers: Readonly<Record<string, (name: string) => TokenReader>> = {
  header: (name) => (request, context) => {
    const value = request.headers.get(name);
    if (value === null) return undefined;
    context.outbound.push(["delete", name]);
    return singleToken([value]);
  },
  cookie: (name) => (request, context) => {
    const field = forwardedHeader(request, context, "cookie");
    if (!field?.includes(name)) return undefined;
    const [own, others] = partition(field.split(";"), (pair) => cookieName(pair) === name);
    if (own.length === 0) return undefined;
    replace(context, "cookie", others.join(";").trim());
    return singleToken(own.map((pair) => decoded(pair.slice(pair.indexOf("=") + 1))));
  },
  query: (name) => (_, context) => {
    const { search } = context.url;
    if (search === "") return undefined;
    const values = new URLSearchParams(search).getAll(name);
    if (values.length === 0) return undefined;
    const { protocol, host, hostname, origin, pathname } = context.url;
    context.url = { protocol, host, hostname, origin, pathname, search: withoutParameter(search, name) };
    return singleToken(values);
  },
  subprotocol: (name) => (request, context) => {
    const field = forwardedHeader(request, context, "sec-websocket-protocol");
    const offered = field?.split(",").map((it) => it.trim());
    if (!offered) return undefined;
    const { own, tokens, answer } = name === "" ? unnamedOffer(offered) : namedOffer(offered, name);
    if (tokens.length === 0) return undefined;
    replace(context, "sec-websocket-protocol", offered.filter((_, index) => !own.has(index)).join(", "));
    setFact(context, Subprotocol, answer);
    return singleToken(tokens);
  },
};

/** The single value, without quotes and without a `Bearer` scheme. */
const singleToken = (values: readonly string[]): string | undefined => {
  const tokens = values.map((it) =>
    it
      .trim()
      .replace(/^"(.*)"$/, "$1")
      .replace(/^bearer +/i, ""),
  );
  const [first = "", ...others] = new Set(tokens.filter((it) => it !== ""));
  if (first === "") return undefined;
  return others.length > 0 ? "" : first;
};

/** Many servers and scripts percent-encode cookie values. */
const decoded = (value: string): string => {
  if (!value.includes("%")) return value;
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
};

const partition = <T>(all: readonly T[], isOwn: (it: T) => boolean): readonly [T[], T[]] => [
  all.filter(isOwn),
  all.filter((it) => !isOwn(it)),
];

const cookieName = (pair: string): string => pair.slice(0, Math.max(pair.indexOf("="), 0)).trim();

/** A header with the edits of earlier filters. */
const forwardedHeader = ({ headers }: Request, { outbound }: Context, name: string): string | null => {
  let value = headers.get(name);
  for (const edit of outbound) {
    if (edit[1] !== name) continue;
    if (edit[0] === "delete") value = null;
    else value = edit[0] === "append" && value !== null ? `${value}, ${edit[2]}` : edit[2];
  }
  return value;
};

const replace = ({ outbound }: Context, name: string, value: string): void => {
  outbound.push(value === "" ? ["delete", name] : ["set", name, value]);
};

interface Offer {
  /** Positions of the entries for the gate. */
  readonly own: ReadonlySet<number>;
  readonly tokens: readonly string[];
  /**
   * The subprotocol of the response when the service selects none: a browser that has offered some accepts no other
   * (RFC 6455, section 4.1).
   */
  readonly answer: string;
}

/**
 * `<name>.<token>`, or `<name>` and then the token. A token without dots is base64-encoded once more, as in
 * Kubernetes.
 */
const namedOffer = (offered: readonly string[], name: string): Offer => {
  const prefix = `${name}.`;
  const own = new Set<number>();
  const tokens: string[] = [];
  for (const [index, entry] of offered.entries()) {
    if (!entry.startsWith(prefix)) continue;
    own.add(index);
    tokens.push(decodedToken(entry.slice(prefix.length)));
  }
  const marker = offered.indexOf(name);
  const [entry = name] = [...own].map((it) => offered[it]);
  if (marker < 0) return { own, tokens, answer: entry };
  const next = offered[marker + 1];
  if (tokens.length === 0 && next !== undefined) {
    own.add(marker + 1);
    tokens.push(decodedToken(next));
  }
  return { own: own.add(marker), tokens, answer: name };
};

const decodedToken = (text: string): string => {
  if (text.includes(".")) return text;
  try {
    return atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  } catch {
    return text;
  }
};

/** An entry that looks like a token: three parts in base64url, the first a JSON object. */
const looksLikeToken = /^e[wy][\w-]+\.[\w-]+\.[\w-]*$/;

const unnamedOffer = (offered: readonly string[]): Offer => {
  const own = offered.flatMap((entry, index) => (looksLikeToken.test(entry) ? [index] : []));
  const tokens = own.map((it) => offered[it] as string);
  return { own: new Set(own), tokens, answer: tokens[0] ?? "" };
};
