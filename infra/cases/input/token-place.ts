/** Where a case's token stands in a request: written as a client would write it, and whether the case has written one itself. */

/** @param place as `from` of the `jwt` filter has it: `header.authorization`, `cookie.session`, `query.token`, `subprotocol.bearer` */
export const withToken = (request: Request, place: string, token: string): Request => {
  const { kind, name } = partsOf(place);
  const { headers } = request;
  if (kind === "query") {
    const url = new URL(request.url);
    const pair = `${encodeURIComponent(name)}=${token}`;
    url.search = url.search === "" ? pair : `${url.search}&${pair}`;
    return new Request(url, request);
  }
  if (kind === "cookie") headers.set("cookie", joined(headers.get("cookie"), `${name}=${token}`, "; "));
  else if (kind === "subprotocol") {
    const entry = name === "" ? token : `${name}.${token}`;
    headers.set(subprotocols, joined(headers.get(subprotocols), entry, ", "));
  } else headers.set(name, name === "authorization" ? `Bearer ${token}` : token);
  return request;
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
