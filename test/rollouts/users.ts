/**
 * A process that simulates many users at the edge until its stdin ends, and then writes their results to stdout:
 * `users.ts <edge> <paths> <users> <requests a second>`, paths separated by commas, each in turn. Some users send far more requests than others. Each has a network of its own, and keeps its device id; every third is a
 * program without one, which is dealt a version by request.
 */
import http from "node:http";
import { text } from "node:stream/consumers";

export interface LoadReport {
  /** Requests that were answered, given up after five seconds, or lost. */
  readonly sent: number;
  /** Requests that ended without a response, although the client did not abort. */
  readonly lost: number;
  /** By status, `timeout` and `error`. */
  readonly counts: Readonly<Record<string, number>>;
  /** Requests by the release that answered, if the response names it. */
  readonly releases: Readonly<Record<string, number>>;
  /** Failed requests by release. */
  readonly failures: Readonly<Record<string, number>>;
  /** Users with a device id, by the release that answered them. */
  readonly users: Readonly<Record<string, number>>;
  /** Times at which users returned from the gate to the old gateway, in milliseconds since the epoch. */
  readonly returned: readonly number[];
}

const [edge = "", paths = "/", users = "200", rate = "100", tokens = ""] = process.argv.slice(2);
const { hostname, port } = new URL(edge);
/** Closes idle connections before the cloud does, which would lose a request that is sent meanwhile. */
const agent = new http.Agent({ keepAlive: true, timeout: 3000 });
/** More would only wait in the cloud, which then answers nobody in time. */
const maxInFlight = 64;
const counts: Record<string, number> = {};
const releases: Record<string, number> = {};
const failures: Record<string, number> = {};
const returned: number[] = [];
const met = new Map<string, Set<number>>();
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
const bearers = tokens.split(",");

/** On loopback, in a /24 of its own. */
const addressOf = (number: number): string => `127.${1 + Math.floor(number / 250)}.${number % 250}.1`;

const hasDevice = (number: number): boolean => number % 3 > 0;

const ask = (): Promise<void> =>
  new Promise((done) => {
    const path = targets[turn++ % targets.length];
    const number = Math.floor(random() ** 2 * Number(users));
    const moved = met.get("gate")?.has(number) === true;
    const at = Date.now();
    const headers = {
      ...(hasDevice(number) && { "x-device-id": `user-${number}` }),
      ...(tokens && { authorization: `Bearer ${bearers[number % bearers.length]}` }),
    };
    const localAddress = addressOf(number);
    const request = http.get({ hostname, port, path, headers, agent, localAddress, timeout: 5000 }, (response) => {
      const status = String(response.statusCode);
      const release = String(response.headers["x-release"] ?? "none");
      sent++;
      count(counts, status);
      count(releases, release);
      if (status !== "200") count(failures, release);
      if (moved && release === "legacy") returned.push(at);
      met.set(release, (met.get(release) ?? new Set()).add(number));
      text(response).then(
        () => done(),
        () => {
          // Cut off within the body.
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
  // Otherwise a client that cannot keep up would send bursts.
  due = Math.max(due, performance.now() - 200);
  while (inFlight.size >= maxInFlight) await Promise.race(inFlight);
  const one = ask().finally(() => inFlight.delete(one));
  inFlight.add(one);
}
await Promise.race([Promise.all(inFlight), new Promise((wake) => setTimeout(wake, 5500))]);
const usersMet = Object.fromEntries([...met].map(([release, all]) => [release, [...all].filter(hasDevice).length]));
process.stdout.write(
  JSON.stringify({ sent, lost, counts, releases, failures, users: usersMet, returned } satisfies LoadReport),
);
process.exit(0);
