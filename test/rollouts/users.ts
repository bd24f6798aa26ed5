/**
 * A process of its own that is many users at the edge, until its stdin ends; then it writes what they met to stdout:
 * `users.ts <edge> <paths> <users> <requests a second>`, of paths with a comma between them each in turn. Some users ask far more often than others. Each keeps its device id.
 */
import http from "node:http";
import { text } from "node:stream/consumers";

export interface LoadReport {
  /** Requests that were answered, given up after five seconds, or lost. */
  readonly sent: number;
  /** Ended without an answer, though nobody gave up. */
  readonly lost: number;
  /** By status, `timeout` and `error`. */
  readonly counts: Readonly<Record<string, number>>;
  /** Of requests that named their release, by it. */
  readonly releases: Readonly<Record<string, number>>;
  /** The same of those that did not succeed. */
  readonly failures: Readonly<Record<string, number>>;
  /** Users that met a release, by it. */
  readonly users: Readonly<Record<string, number>>;
  /** When users that had met the gate of a route that is cut over were sent to the old gateway again: milliseconds since the epoch. */
  readonly returned: readonly number[];
}

const [edge = "", paths = "/", users = "200", rate = "100", token = ""] = process.argv.slice(2);
const { hostname, port } = new URL(edge);
const agent = new http.Agent({ keepAlive: true, maxSockets: 64 });
const counts: Record<string, number> = {};
const releases: Record<string, number> = {};
const failures: Record<string, number> = {};
const returned: number[] = [];
const met = new Map<string, Set<string>>();
let sent = 0;
let turn = 0;
let lost = 0;
let running = true;
let seed = 1;

const count = (all: Record<string, number>, key: string) => {
  all[key] = (all[key] ?? 0) + 1;
};

/** Mulberry32: the same users in the same order each time. */
const random = (): number => {
  seed = (seed + 0x6d2b79f5) | 0;
  let it = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  it = (it + Math.imul(it ^ (it >>> 7), 61 | it)) ^ it;
  return ((it ^ (it >>> 14)) >>> 0) / 2 ** 32;
};

const targets = paths.split(",");

const ask = (): Promise<void> =>
  new Promise((done) => {
    const path = targets[turn++ % targets.length];
    const user = `user-${Math.floor(random() ** 2 * Number(users))}`;
    const moved = met.get("gate")?.has(user) === true;
    const at = Date.now();
    const headers = { "x-device-id": user, ...(token && { authorization: `Bearer ${token}` }) };
    const request = http.get({ hostname, port, path, headers, agent, timeout: 5000 }, (response) => {
      const status = String(response.statusCode);
      const release = String(response.headers["x-release"] ?? "none");
      sent++;
      count(counts, status);
      count(releases, release);
      if (status !== "200") count(failures, release);
      if (moved && release === "legacy") returned.push(at);
      met.set(release, (met.get(release) ?? new Set()).add(user));
      text(response).then(
        () => done(),
        () => {
          // Cut in the midst of its body.
          lost++;
          done();
        },
      );
    });
    request.on("timeout", () => request.destroy(new Error("timeout")));
    request.on("error", ({ message }) => {
      const isTimeout = message === "timeout";
      sent++;
      count(counts, isTimeout ? "timeout" : "error");
      if (!isTimeout) lost++;
      done();
    });
  });

process.stdin.resume().once("end", () => {
  running = false;
});
const inFlight = new Set<Promise<void>>();
const everyMs = 1000 / Number(rate);
let due = performance.now();
while (running) {
  due += everyMs;
  await new Promise((wake) => setTimeout(wake, Math.max(0, due - performance.now())));
  // A client that cannot keep up would ask in bursts.
  due = Math.max(due, performance.now() - 200);
  const one = ask().finally(() => inFlight.delete(one));
  inFlight.add(one);
}
await Promise.race([Promise.all(inFlight), new Promise((wake) => setTimeout(wake, 5500))]);
const usersMet = Object.fromEntries([...met].map(([release, all]) => [release, all.size]));
process.stdout.write(
  JSON.stringify({ sent, lost, counts, releases, failures, users: usersMet, returned } satisfies LoadReport),
);
process.exit(0);
