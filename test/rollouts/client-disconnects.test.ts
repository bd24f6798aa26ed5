/** Clients that disconnect during their bodies at a new gate without an overlay: each is logged and counted. */
import net from "node:net";
import parse from "parse-prometheus-text-format";
import { expect, it, vi } from "vitest";
import { manifest, runService } from "../e2e/project.ts";
import { rolloutCloud } from "./rollout-cloud.ts";

const body = `POST /a/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 60000\r\n\r\n${"x".repeat(3000)}`;

it.each(["a zone gate", "a front"])("through %s", { timeout: 120_000 }, async (which) => {
  const { url } = await runService((request) => {
    request.on("error", () => {}).resume();
  });
  const it = await rolloutCloud({
    "routes/a.yaml": manifest(
      "a",
      `upstreams: { it: { http: "${url}" } }\nroutes: { all: { match: "ANY /{rest*}", to: it } }\n`,
    ),
  });
  if (which === "a zone gate")
    await it.cloud.control.changeSettings("gate-a-local", { routes: [{ id: "alone", pattern: "*/a/*" }] });
  const { port } = new URL(it.cloud.edge);
  const lines = () =>
    it.lines
      .flatMap((line) => (line.startsWith("{") ? [JSON.parse(line)] : []))
      .filter(({ type, tier }) => type === "access" && tier === "a");
  // It is not visible when a gate is ready; the first requests wait for the feed.
  for (let tries = 0; tries < 40 && lines().length < 10; tries++) {
    const socket = net.connect(Number(port), "localhost", () => socket.write(body));
    socket.on("error", () => {});
    const leavesAt = Date.now() + 20 + 10 * tries;
    await vi.waitFor(() => expect(Date.now()).toBeGreaterThan(leavesAt), { timeout: 5000, interval: 5 });
    socket.resetAndDestroy();
  }
  await vi.waitFor(() => expect(lines().length).toBeGreaterThanOrEqual(10), { timeout: 10_000, interval: 100 });
  const verdicts = new Set(lines().map(({ status, verdict, code }) => [status, verdict, code].join(" ")));
  for (const verdict of verdicts) expect(["499 left ", "400 refused body-incomplete"]).toContain(verdict);
  await vi.waitFor(
    async () => {
      const families = parse(await it.client.call<string>("GET", "/metrics"));
      const counted = families.find(({ name }) => name === "postern_requests_total")?.metrics ?? [];
      expect(counted.reduce((sum, { value }) => sum + Number(value), 0)).toBe(lines().length);
      expect(counted.filter(({ labels }) => !["left", "refused"].includes(labels?.verdict ?? ""))).toEqual([]);
    },
    { timeout: 20_000, interval: 300 },
  );
});
