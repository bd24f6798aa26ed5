/**
 * The service behind the subjects and the client in front of them. Both are in this process, so that no count includes them.
 */
import http from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

export interface Upstream {
  readonly port: number;
  /** Headers of the last request. */
  readonly lastHeaders: () => http.IncomingHttpHeaders;
  readonly close: () => void;
}

/** The body of every response of the service. */
export const expectedBody = JSON.stringify({ orders: [{ id: 1, total: "12.00" }] });

export const startUpstream = async (): Promise<Upstream> => {
  let lastHeaders: http.IncomingHttpHeaders = {};
  const server = http.createServer((request, response) => {
    lastHeaders = request.headers;
    request.resume();
    response.writeHead(200, { "content-type": "application/json", "x-powered-by": "node" }).end(expectedBody);
  });
  // A new connection in the middle of a count would be counted.
  server.keepAliveTimeout = 0;
  await new Promise<void>((listening, failed) => server.once("error", failed).listen(0, "localhost", listening));
  return {
    port: (server.address() as AddressInfo).port,
    lastHeaders: () => lastHeaders,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
};

export interface BenchRequest {
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** With a body the request is a POST, without one a GET. */
  readonly body?: string;
}

export interface BenchReply {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

export interface BenchClient {
  readonly request: (request: BenchRequest) => Promise<BenchReply>;
  /**
   * Sends requests one after the other on one connection.
   * @throws where a response is not the service's
   */
  readonly send: (times: number, next: () => BenchRequest) => Promise<void>;
  readonly close: () => void;
}

const defaultPath = "/v1/users/123/orders?limit=10";

/**
 * @param port of the subject
 * @param host of the service: a passthrough finds it by the request's own URL, as on the platform
 */
export const connect = (port: number, host: string): BenchClient => {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  const request = ({ path = defaultPath, headers, body }: BenchRequest) =>
    new Promise<BenchReply>((resolve, reject) => {
      const length = body === undefined ? {} : { "content-length": String(body.length) };
      const method = body === undefined ? "GET" : "POST";
      http
        .request(
          { host: "127.0.0.1", port, agent, method, path, headers: { host, ...headers, ...length } },
          (response) => {
            text(response).then(
              (body) => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
              reject,
            );
          },
        )
        .on("error", reject)
        .end(body);
    });
  return {
    request,
    send: async (times, next) => {
      for (let sent = 0; sent < times; sent++) {
        const { status, body } = await request(next());
        if (status !== 200 || body !== expectedBody)
          throw new Error(`a request under load was answered ${status}: ${body}`);
      }
    },
    close: () => agent.destroy(),
  };
};
