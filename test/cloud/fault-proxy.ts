/** A proxy in front of a local cloud's API that injects faults of a network or of the platform. */
import http from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { onTestFinished } from "vitest";

/** `pass`: goes on. `hang`: is never answered. `lose`: is answered as done, and is not. A number: the status of a refusal; 404 where there is no such Worker. */
type FaultAction = "pass" | "hang" | "lose" | number;

/** @returns its URL */
export const startFaultProxy = async (api: string, actionFor: (call: string) => FaultAction): Promise<string> => {
  const server = http.createServer(async (request, response) => {
    const { method = "", url = "", headers } = request;
    const body = await buffer(request);
    const action = actionFor(`${method} ${url}`);
    if (action === "hang") return;
    const answer = (status: number, value: object) =>
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
    if (typeof action === "number") {
      const errors = [{ code: action === 404 ? 10007 : 10013, message: "a fault of the platform" }];
      answer(action, { success: false, errors, messages: [], result: null });
    } else if (action === "lose")
      answer(200, { success: true, errors: [], messages: [], result: { id: "x", startup_time_ms: 1 } });
    else {
      const forwarded = http.request(
        api + url,
        { method, headers: { ...headers, host: new URL(api).host } },
        (from) => {
          response.writeHead(from.statusCode ?? 502, from.rawHeaders);
          from.pipe(response);
        },
      );
      forwarded.on("error", () => response.destroy());
      forwarded.end(body);
    }
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
};
