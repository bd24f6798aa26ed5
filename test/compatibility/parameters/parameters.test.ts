/** The rows through a front and gates that run, sent as they stand. */
import http from "node:http";
import { afterAll, beforeAll, expect } from "vitest";
import { type City, type Service, startCity, startService, stopService } from "../../e2e/city.ts";
import { table } from "../row.ts";
import { files, type Request, requestOf } from "./project.ts";
import { rows } from "./rows.ts";

let running: City;
let upstream: Service;
const agent = new http.Agent({ keepAlive: true });

beforeAll(async () => {
  upstream = await startService((request, response) => {
    request.resume();
    request.on("end", () => response.end());
  });
  running = await startCity(files(upstream.url));
}, 60_000);

afterAll(async () => {
  agent.destroy();
  stopService(upstream);
  await running.stop();
});

const answerTo = ({ body = "", method, path, headers }: Request) =>
  new Promise<{ readonly status: number; readonly text: string }>((resolve, reject) => {
    const bytes = Buffer.from(body, "latin1");
    const length = bytes.length > 0 ? { "content-length": bytes.length } : {};
    const options = { port: running.port, host: "localhost", path, method, agent, headers: { ...headers, ...length } };
    const request = http.request(options, (response) => {
      let text = "";
      response.on("data", (chunk) => {
        text += chunk;
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
    });
    request.on("error", reject);
    request.end(bytes);
  });

const codes = ["parameters-invalid", "content-type-unsupported", "body-missing", "body-malformed", "body-invalid"];

/** That the gate refuses it for this reason, and for no other. */
const isRefused = (text: string): boolean => text.startsWith("{") && codes.includes(JSON.parse(text).code);

table(rows, async (row) => {
  for (const [all, isRight] of [
    [row.takes, (status: number) => status === 200],
    [row.refuses, (_: number, text: string) => isRefused(text)],
  ] as const)
    for (const sent of all) {
      const { path, headers, body, ...request } = requestOf(row, sent);
      const { status, text } = await answerTo({ path, headers, body, ...request });
      const about = [isRight(status, text), status, path.slice(0, 80), headers, body?.slice(0, 200), text];
      expect(about).toEqual([true, ...about.slice(1)]);
    }
});
