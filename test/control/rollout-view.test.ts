/** The display of a rollout: measurements of both versions, in a pipe and without color. */
import { expect, it } from "vitest";
import { stepsOf } from "../../functions/control/model/release.ts";
import { measurementOf } from "../../functions/control/verdict/measurement.ts";
import { binOf, type Sample } from "../../functions/gateway/observability/samples.ts";
import { latencyStrips } from "../../infra/commands/operate/rollout-strips.ts";
import { rolloutLine, rolloutText } from "../../infra/commands/operate/rollout-view.ts";
import { rolloutHarness, runFor } from "./rollout-harness.ts";

const release = { steps: ["0%", "100%"], bake: "5s" } as const;

/** Exponential above 20 ms: half are below 41 ms, 99 % below 158 ms. Dealt to two groups of users. */
const sample = ({
  requests,
  errors = 0,
  slower = 1,
}: {
  requests: number;
  errors?: number;
  slower?: number;
}): Sample => {
  const half = (part: number) => ({
    requests: requests / 2,
    errors: part === 0 ? errors : 0,
    refusals: 0,
    upstreamErrors: 0,
    abandoned: 0,
    latency: [
      ...Map.groupBy(
        Array.from({ length: requests / 2 }, (_, at) =>
          binOf(slower * (20 - 30 * Math.log(1 - (2 * at + part + 0.5) / requests))),
        ),
        (bin) => bin,
      ),
    ].map(([bin, all]) => [bin, all.length] as const),
  });
  return { cold: 0, groups: { "0": half(0), "7": half(1) } };
};

const measurement = (slower: number) => {
  const stable = sample({ requests: 9000, errors: 9 });
  const canary = sample({ requests: 1000, errors: 10, slower });
  return measurementOf(
    [
      { share: 0.1, since: 0, until: 1000, units: [], stable, canary },
      { share: 0.1, since: 2000, until: 3000, units: [], stable, canary },
    ],
    sample({ requests: 2100 }),
  );
};

it("sums the measurements of both versions, and the requests that the new one served", () => {
  const { exposed, stable, canary } = measurement(2);
  expect(exposed).toBe(2100);
  expect(stable).toMatchObject({ requests: 18_000, errors: 18, refusals: 0 });
  expect(canary).toMatchObject({ requests: 2000, errors: 20 });
  expect(stable.p50).toBeGreaterThan(38);
  expect(stable.p50).toBeLessThan(45);
  expect(canary.p99).toBeGreaterThan(300);
  expect(measurementOf([], sample({ requests: 0 })).stable).toMatchObject({ requests: 0, p50: null, latency: [] });
});

it("draws both distributions on the same scale, without color", () => {
  const [axis, stable = "", canary = "", ...more] = latencyStrips(measurement(2), 110).split("\n");
  expect(more).toEqual([]);
  expect(axis).toMatch(/^latency, [\d.]+ ms to [\d.]+ ms, each column \d+ % wider$/);
  expect(stable).toMatch(/^stable \|[ ▁▂▃▄▅▆▇█]{40}\| {2}p50 [\d.]+ ms {2}p90 [\d.]+ ms {2}p99 [\d.]+ ms$/);
  expect(canary).toMatch(/p99 [\d.]+ ms$/);
  for (const row of latencyStrips(measurement(2), 80).split("\n")) expect(row.length).toBeLessThanOrEqual(80);
  const firstColumn = (row: string) => row.slice(row.indexOf("|") + 1).search(/[^ ]/);
  // Twice as slow is fourteen bins of five per cent to the right.
  expect(firstColumn(stable)).toBe(0);
  expect(firstColumn(canary)).toBeGreaterThan(5);
  expect(latencyStrips(measurementOf([], sample({ requests: 0 })))).toBe("");
});

it("shows alerts, and the watch as a step with its time left", async () => {
  const it = rolloutHarness(["gate-a"], stepsOf({ ...release, watch: { for: "30m", "hold-back": "0%" } }));
  await it.start();
  await runFor(it, 10_000);
  const text = () => rolloutText(it.state(), it.now(), null, { columns: 200 });
  expect(text()).toMatch(/steps {2}0 % done {2}\[100 % watch\]\ntime {3}30 min of the watch left\n/);
  expect(text()).not.toContain("ALERT");
  it.scenario.verdict = "fail";
  await runFor(it, 10_000);
  const alert =
    "ALERT  errors: 2 % against 0; control does not act: no users are left on the stable version to compare with";
  expect(text()).toContain(alert);
  expect(rolloutLine(it.state(), null)).toContain(alert);
});

it("says that a rollback is not done if the platform refuses it, and offers no promotion", async () => {
  const it = rolloutHarness();
  await it.start();
  for (let polls = 0; it.share() !== 10; polls++) {
    expect(polls).toBeLessThan(100);
    await it.reconcile();
    it.advance(1000);
  }
  it.scenario.faults.push({ status: 403, code: 10_000, message: "Authentication error" });
  it.scenario.verdict = "fail";
  await it.reconcile();
  expect(it.share()).toBe(10);
  const text = rolloutText(it.state(), it.now(), null, { columns: 110, options: " --env staging" });
  expect(text).toContain("PAUSED");
  expect(text).toMatch(/gate-a: Authentication error \(10000\); the actuator's CLOUDFLARE_API_TOKEN is not valid/);
  expect(text).toContain("THE ROLLBACK IS NOT DONE: users may still have the new version");
  expect(text).toContain("npx postern rollout abort a --env staging");
  expect(text).not.toContain("promote");
});

it("formats the state and the number of served requests in one line", async () => {
  const it = rolloutHarness();
  await it.start();
  expect(rolloutLine(it.state(), measurement(1))).toMatch(
    / {2}running {2}0 % {2}started {2}2,100 requests served by the new version$/,
  );
  expect(rolloutLine(it.state(), null)).toMatch(/started$/);
});

it("a paused rollout says what happens to its users if it fails", async () => {
  const it = rolloutHarness();
  await it.start();
  await runFor(it, 10_000);
  await it.command("pause");
  const text = (share: number, more: object = {}) =>
    rolloutText({ ...it.state(), goal: { ...it.state().goal, share }, ...more }, it.now(), null, { columns: 200 });
  expect(text(1)).toContain(
    "1 % of the users keep the new version until a person decides; if it fails, it is rolled back",
  );
  expect(text(100)).toContain("if it crashes or exceeds its limits, it is rolled back; other failures are reported");
  expect(text(-1)).toContain("THE ROLLBACK IS NOT DONE");
  expect(text(1, { foreign: true })).toContain("changes nothing until a person decides; failures are reported");
});
