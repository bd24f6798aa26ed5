/** Writes a test case's token into its request as a client would, unless the case has written one itself. */
import type { Presented } from "./credentials.ts";

/** @param place a value of the filter's `from`: `header.authorization`, `cookie.session`, `query.token`, `subprotocol.bearer` */
export const withToken = ({ headers, url }: Request, place: string, token: string): Presented => {
  const { kind, name } = partsOf(place);
  if (kind === "query") {
    const changed = new URL(url);
    const pair = `${encodeURIComponent(name)}=${token}`;
    changed.search = changed.search === "" ? pair : `${changed.search}&${pair}`;
    return { url: changed.href };
  }
  if (kind === "cookie") return { headers: { cookie: append(headers.get("cookie"), `${name}=${token}`, "; ") } };
  if (kind === "subprotocol") {
    const entry = name === "" ? token : `${name}.${token}`;
    return { headers: { [subprotocols]: append(headers.get(subprotocols), entry, ", ") } };
  }
  return { headers: { [name]: name === "authorization" ? `Bearer ${token}` : token } };
};

const subprotocols = "sec-websocket-protocol";

/** Whether the request, as the case wrote it, already has a value in that place. */
export const writesToken = (request: Request, place: string): boolean => {
  const { kind, name } = partsOf(place);
  if (kind === "query") return new URL(request.url).searchParams.has(name);
  if (kind === "cookie")
    return (request.headers.get("cookie") ?? "").split(";").some((pair) => pair.split("=")[0]?.trim() === name);
  // A case lists the service's own subprotocols; the token is added to them.
  if (kind === "subprotocol") return false;
  return request.headers.has(name);
};

const append = (before: string | null, added: string, separator: string): string =>
  before === null || before === "" ? added : `${before}${separator}${added}`;

const partsOf = (place: string): { readonly kind: string; readonly name: string } => {
  const [, kind = "", name = ""] = /^([a-z]+)\.?(.*)$/.exec(place) ?? [];
  return { kind, name };
};
