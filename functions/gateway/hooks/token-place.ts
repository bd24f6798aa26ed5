/** Where a test's token stands in a request: written as a client would write it, and whether the case has written one itself. */
import type { Presented } from "./credentials.ts";

/** @param place as `from` of the filter has it: `header.authorization`, `cookie.session`, `query.token`, `subprotocol.bearer` */
export const withToken = ({ headers, url }: Request, place: string, token: string): Presented => {
  const { kind, name } = partsOf(place);
  if (kind === "query") {
    const changed = new URL(url);
    const pair = `${encodeURIComponent(name)}=${token}`;
    changed.search = changed.search === "" ? pair : `${changed.search}&${pair}`;
    return { url: changed.href };
  }
  if (kind === "cookie") return { headers: { cookie: joined(headers.get("cookie"), `${name}=${token}`, "; ") } };
  if (kind === "subprotocol") {
    const entry = name === "" ? token : `${name}.${token}`;
    return { headers: { [subprotocols]: joined(headers.get(subprotocols), entry, ", ") } };
  }
  return { headers: { [name]: name === "authorization" ? `Bearer ${token}` : token } };
};

const subprotocols = "sec-websocket-protocol";

/** Whether a request that a case has written says something in that place. */
export const writesToken = (request: Request, place: string): boolean => {
  const { kind, name } = partsOf(place);
  if (kind === "query") return new URL(request.url).searchParams.has(name);
  if (kind === "cookie")
    return (request.headers.get("cookie") ?? "").split(";").some((pair) => pair.split("=")[0]?.trim() === name);
  // Of subprotocols a case writes the service's own; the token is one more.
  if (kind === "subprotocol") return false;
  return request.headers.has(name);
};

const joined = (before: string | null, added: string, separator: string): string =>
  before === null || before === "" ? added : `${before}${separator}${added}`;

const partsOf = (place: string): { readonly kind: string; readonly name: string } => {
  const [, kind = "", name = ""] = /^([a-z]+)\.?(.*)$/.exec(place) ?? [];
  return { kind, name };
};
