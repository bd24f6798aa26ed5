/**
 * `/cdn-cgi/host/<host>/…` is the edge's address of a zone's host for clients that cannot set the Host header: a Worker, as
 * control's smoke tests, and a browser. On the platform `/cdn-cgi/` is the edge's own too, so no Worker has such a path.
 */
import type { ForwardedRequest } from "./message.ts";

export const zoneAddress = "/cdn-cgi/host/";

export const atZoneHost = (request: ForwardedRequest): ForwardedRequest => {
  const [, host, rest = "/"] = pattern.exec(request.path) ?? [];
  if (host === undefined) return request;
  const { headers } = request;
  return {
    ...request,
    host,
    path: rest.startsWith("/") ? rest : `/${rest}`,
    headers: headers.map((it, index) => (index % 2 === 1 && headers[index - 1]?.toLowerCase() === "host" ? host : it)),
  };
};

const pattern = new RegExp(`^${zoneAddress}([a-zA-Z0-9.-]{1,253})([/?].*)?$`);
