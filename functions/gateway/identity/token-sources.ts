/** Reads a request's token from where the manifest says, and takes it out there before the service sees the request. */
import { Subprotocol, setFact } from "../core/facts.ts";
import type { Context } from "../core/types.ts";
import { withoutParameter } from "../http/query.ts";

/**
 * @returns the token as it came; undefined where there is none, and an empty text where one place has several that differ,
 * since services disagree about which of them counts
 */
export type TokenReader = (request: Request, context: Context) => string | undefined;

/** The Authorization header goes on as it came; every other place is emptied. */
export const authorization = "header.authorization";

/**
 * Prepares the places, the first of which that holds a token counts.
 * @param sources `header.authorization`, `cookie.session`, `query.access_token`, `subprotocol.bearer`
 */
export const tokenReader = (sources: readonly string[]): TokenReader => {
  const readers = sources.map(readerOf);
  const [only] = readers;
  if (only && readers.length === 1) return only;
  return (request, context) => {
    let token: string | undefined;
    // All of them, so that no place is left full behind one that counts.
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

/** The one value, without the quotes of a cookie and without a scheme. */
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

/** Many servers and scripts percent-encode what they put into cookies. */
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

/** A header as the service would be sent it, behind what other filters have changed. */
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
  /** Positions of the entries that are the gate's, and not the service's. */
  readonly own: ReadonlySet<number>;
  readonly tokens: readonly string[];
  /**
   * What the handshake is answered with where the service names none of its own: a browser that has offered something
   * accepts nothing else (RFC 6455, section 4.1).
   */
  readonly answer: string;
}

/** `<name>.<token>`, or `<name>` and the token in the entry behind it. A token without dots is encoded once more, as Kubernetes does. */
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

/** An entry that reads like a token: three parts in base64url, the first of them a JSON object. */
const looksLikeToken = /^e[wy][\w-]+\.[\w-]+\.[\w-]*$/;

const unnamedOffer = (offered: readonly string[]): Offer => {
  const own = offered.flatMap((entry, index) => (looksLikeToken.test(entry) ? [index] : []));
  const tokens = own.map((it) => offered[it] as string);
  return { own: new Set(own), tokens, answer: tokens[0] ?? "" };
};
