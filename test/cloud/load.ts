/**
 * A process of its own that loads the edge until its stdin ends, and then writes what it saw to stdout: `load.ts <edge> <host>
 * <connections>`. A process of its own, so that the machines' starts do not delay the clients, nor these the machines.
 */
import http from "node:http";
import { text } from "node:stream/consumers";
import { WebSocket } from "ws";

export interface Report {
  /** What the object answered, in no order. */
  readonly numbers: readonly number[];
  /** What was not answered with 200: what, and for which id. */
  readonly failures: readonly string[];
  /** Of the stream, in order. */
  readonly chunks: readonly number[];
  /** Of the WebSocket, in order. */
  readonly echoes: readonly number[];
  readonly sent: number;
  /** The longest that a request took. */
  readonly slowestMs: number;
}

const [edge = "", host = "", connections = "4"] = process.argv.slice(2);
const { hostname, port } = new URL(edge);
const pauseMs = 10;
const numbers: number[] = [];
const failures: string[] = [];
const chunks: number[] = [];
const echoes: number[] = [];
let running = true;
let slowestMs = 0;
let sent = 0;

const headers = { host };
const pause = (ms: number) => new Promise((wake) => setTimeout(wake, ms));

const get = (target: string, agent: http.Agent): Promise<{ status: number | undefined; body: string }> =>
  new Promise((resolve, reject) => {
    http
      .get({ hostname, port, path: target, headers, agent, timeout: 30_000 }, (response) => {
        text(response).then((body) => resolve({ status: response.statusCode, body }), reject);
      })
      .on("timeout", () => reject(new Error("no answer in 30 s")))
      .on("error", reject);
  });

/** One connection, one request after the other. */
const connection = async (index: number): Promise<void> => {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  for (let count = 0; running; count++) {
    const id = `${index}-${count}`;
    const began = performance.now();
    try {
      const { status, body } = await get(`/hit?id=${id}`, agent);
      if (status === 200) numbers.push(Number(body));
      else failures.push(`${id}: ${status} ${body.slice(0, 200)}`);
    } catch (error) {
      failures.push(`${id}: ${(error as NodeJS.ErrnoException).code ?? ""} ${(error as Error).message}`);
    }
    slowestMs = Math.max(slowestMs, performance.now() - began);
    await pause(pauseMs);
  }
  agent.destroy();
};

/** Its chunks have numbers, and it ends only with this process. */
const stream = () =>
  http
    .get({ hostname, port, path: "/stream", headers, agent: false }, (response) => {
      let rest = "";
      response.setEncoding("utf8").on("data", (some: string) => {
        const lines = (rest + some).split("\n");
        rest = lines.pop() ?? "";
        chunks.push(...lines.map(Number));
      });
      response.on("error", (error) => running && failures.push(`stream: ${error.message}`));
      response.on("end", () => running && failures.push("stream: it ended"));
    })
    .on("error", (error) => running && failures.push(`stream: ${error.message}`));

const socket = new WebSocket(`ws://${hostname}:${port}/socket`, { headers });
socket.on("message", (data) => echoes.push(Number(data)));
socket.on("close", (code) => running && failures.push(`socket: closed ${code}`));
socket.on("error", (error) => failures.push(`socket: ${error.message}`));
const talk = setInterval(() => socket.readyState === WebSocket.OPEN && socket.send(String(sent++)), 100);

const streaming = stream();
process.stdin.resume().once("end", () => {
  running = false;
});
await Promise.all(Array.from({ length: Number(connections) }, (_, index) => connection(index)));
clearInterval(talk);
for (let tries = 0; tries < 40 && echoes.length < sent; tries++) await pause(50);
socket.terminate();
streaming.destroy();
process.stdout.write(JSON.stringify({ numbers, failures, chunks, echoes, sent, slowestMs } satisfies Report));
