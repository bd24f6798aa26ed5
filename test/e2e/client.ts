/** An HTTP client that sends requests unmodified: `fetch` sets Host, the target and some headers itself. */
import http from "node:http";

export interface ClientRequest {
  readonly method?: string | undefined;
  /** As it is written. */
  readonly path: string;
  readonly headers?: http.OutgoingHttpHeaders;
  /** Its length is said. */
  readonly body?: string | Uint8Array | undefined;
  /** The client's address, one of 127.0.0.0/8. */
  readonly from?: string;
  readonly agent?: http.Agent | false;
}

export interface ClientResponse {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly text: string;
}

/** Sends a request to a port of this machine. */
export const send = (
  port: number,
  { method, path, headers = {}, body, from = "127.0.0.1", agent = false }: ClientRequest,
): Promise<ClientResponse> =>
  new Promise((resolve, reject) => {
    // Of GET and DELETE, Node says no length by itself.
    const length = body === undefined ? {} : { "content-length": Buffer.byteLength(body) };
    const all = { host: `localhost:${port}`, ...length, ...headers };
    const options = { host: "127.0.0.1", port, localAddress: from, method, path, agent, headers: all };
    const request = http.request(options, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part: string) => {
        text += part;
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
      response.on("error", reject);
    });
    request.on("error", reject).end(body);
  });
