/** Stands ahead of a local cloud's API and does to a call what a network or the platform may do. */
import http from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { onTestFinished } from "vitest";

/** `pass`: goes on. `hang`: is never answered. `lose`: is answered as done, and is not. A number: the status of a refusal; 404 where there is no such Worker. */
type Fate = "pass" | "hang" | "lose" | number;

/** @returns its URL */
export const faulty = async (api: string, fateOf: (call: string) => Fate): Promise<string> => {
  const server = http.createServer(async (request, response) => {
    const { method = "", url = "", headers } = request;
    const body = await buffer(request);
    const fate = fateOf(`${method} ${url}`);
    if (fate === "hang") return;
    const answer = (status: number, value: object) =>
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
    if (typeof fate === "number") {
      const errors = [{ code: fate === 404 ? 10007 : 10013, message: "a fault of the platform" }];
      answer(fate, { success: false, errors, messages: [], result: null });
    } else if (fate === "lose")
      answer(200, { success: true, errors: [], messages: [], result: { id: "x", startup_time_ms: 1 } });
    else {
      const onward = http.request(api + url, { method, headers: { ...headers, host: new URL(api).host } }, (from) => {
        response.writeHead(from.statusCode ?? 502, from.rawHeaders);
        from.pipe(response);
      });
      onward.on("error", () => response.destroy());
      onward.end(body);
    }
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
};
