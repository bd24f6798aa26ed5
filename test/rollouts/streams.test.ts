/** Open streams of a rolled-back version reconnect to the stable one, at random times, and lose no event. */
import { expect, it, vi } from "vitest";
import type { FeedMessage } from "../../functions/gateway/overlay/overlay.ts";
import { manifest, runService } from "../e2e/project.ts";
import { type RolloutCloud, rolloutCloud } from "./rollout-cloud.ts";

const users = 24;

const tier = (url: string, release: string) =>
  manifest(
    "a",
    `limits: { stream-age: 10m }
filters: [{ headers: { response: { set: { x-release: ${release} } } } }]
upstreams: { it: { http: "${url}" } }
release: { steps: ["50%", "100%"], bake: 1h, drain: 6s }
routes:
  events: { match: GET /events, to: it }
`,
  );

/** Sends five numbered events a second, and resumes where a client stopped. */
const ticker = () =>
  runService((request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    let id = Number(request.headers["last-event-id"] ?? 0);
    const timer = setInterval(() => response.write(`id: ${++id}\ndata: ${id}\n\n`), 200);
    response.on("close", () => clearInterval(timer));
  });

/** A client that reconnects when its stream ends, as an EventSource does. */
const client = ({ cloud }: RolloutCloud, user: number) => {
  const releases: string[] = [];
  const events: number[] = [];
  const ends: number[] = [];
  const leave = new AbortController();
  const run = async () => {
    while (!leave.signal.aborted) {
      const headers = { "x-device-id": `d${user}`, ...(events.length > 0 && { "last-event-id": `${events.at(-1)}` }) };
      const response = await fetch(`${cloud.edge}/a/events`, { headers, signal: leave.signal });
      releases.push(response.headers.get("x-release") ?? "none");
      let text = "";
      for await (const part of response.body ?? []) {
        text += Buffer.from(part).toString();
        const whole = text.split("\n\n");
        text = whole.pop() ?? "";
        for (const event of whole) events.push(Number(/^data: (\d+)$/m.exec(event)?.[1]));
      }
      // The end lies between two events.
      expect(text).toBe("");
      ends.push(Date.now());
    }
  };
  const done = run().catch((error) => {
    if (!leave.signal.aborted) throw error;
  });
  return {
    releases,
    events,
    ends,
    leave: () => {
      leave.abort();
      return done;
    },
  };
};

it("end within the drain time, and those of the stable version continue", async () => {
  const { url } = await ticker();
  const it = await rolloutCloud({ "routes/a.yaml": tier(url, "one") });
  it.edit("routes/a.yaml", tier(url, "two"));
  await it.deploy(["a"], "0");
  await it.start("a", { release: { steps: ["50%", "100%"], bake: "1h", drain: "6s" } });
  await vi.waitFor(async () => expect((await it.status("a")).why).toMatch(/^50 %/), { timeout: 15_000, interval: 200 });

  const clients = Array.from({ length: users }, (_, user) => client(it, user));
  await vi.waitFor(() => expect(clients.every(({ events }) => events.length > 2)).toBe(true), { timeout: 10_000 });
  const [moved, others] = [clients.filter(startedOn("two")), clients.filter(startedOn("one"))];
  expect([moved.length > 4, others.length > 4]).toEqual([true, true]);

  const abort = { reason: "a test" };
  await it.client.call("POST", "/v1/tiers/a/rollout/abort", abort);
  const { subjects } = await it.settled("a", 10_000);
  const backAt = Date.now();
  const { entries } = await it.client.call<FeedMessage>("GET", "/v1/tiers/a/overlay");
  expect(entries).toMatchObject([{ kind: "drain", versions: [subjects[0]?.canary], by: "control" }]);
  // A stream polls every five to ten seconds, and then has six seconds to end.
  await vi.waitFor(() => expect(moved.every(({ ends }) => ends.length > 0)).toBe(true), { timeout: 20_000 });
  const moments = moved.map(({ ends }) => (ends[0] ?? 0) - backAt);
  console.log(
    `${moved.length} of ${users} streams were drained, ${Math.min(...moments)} to ${Math.max(...moments)} ms after`,
  );
  await vi.waitFor(() => expect(moved.every(({ releases }) => releases.at(-1) === "one")).toBe(true), {
    timeout: 5000,
  });

  await Promise.all(clients.map(({ leave }) => leave()));
  for (const { releases, ends } of others) expect([releases, ends]).toEqual([["one"], []]);
  // No event is missing or duplicate.
  for (const { events } of clients) expect(events).toEqual(events.map((_, index) => index + 1));
  await vi.waitFor(async () => expect(await drainedAt(it)).toBe(moved.length), { timeout: 15_000, interval: 500 });
});

const startedOn =
  (release: string) =>
  ({ releases }: { readonly releases: readonly string[] }): boolean =>
    releases[0] === release;

/** As control's own metrics say. */
const drainedAt = async (it: RolloutCloud): Promise<number> => {
  const text = await it.client.call<string>("GET", "/metrics").catch(() => "");
  const lines = String(text)
    .split("\n")
    .filter((line) => line.startsWith("postern_streams_ended_total") && /how="drained"/.test(line));
  return lines.reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
};
