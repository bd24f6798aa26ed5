/** The plan of a release, as `rollout plan` and `rollout start` show it. A golden file is read when it changes; `UPDATE_GOLDEN=1` writes it. */
import fs from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import { release } from "../../functions/control/model/release.ts";
import type { Clients, TrafficEstimate } from "../../functions/control/planning/traffic.ts";
import { startAt } from "../../infra/commands/operate/planned-start.ts";
import { planText } from "../../infra/commands/operate/rollout-plan-view.ts";

const update = process.env.UPDATE_GOLDEN === "1" && !process.env.CI;
const folder = path.join(import.meta.dirname, "../golden/release-plans");

const until = Date.UTC(2026, 10, 30, 22, 14, 5);
const traffic = (requestsPerSecond: number, clients: Clients | null): TrafficEstimate => ({
  ...{ since: until - 7 * 24 * 60 * 60_000, until, requestsPerSecond, latency: [], clients },
  rates: { errors: 0.0005, refusals: 0.002, clientErrors: 0.01, abandoned: 0.001 },
});
const shop = { clusters: 30_000, authenticated: 0.4, dealt: 0.1 };

const situations: Readonly<Record<string, readonly [release: object, traffic: TrafficEstimate | null]>> = {
  busy: [{}, traffic(900, shop)],
  "with-hold-and-watch": [
    { steps: ["0%", { share: "10%", hold: true, bake: "30m" }, "100%"], watch: "1h" },
    traffic(900, shop),
  ],
  "too-little-for-its-steps": [{}, traffic(40, { clusters: 1200, authenticated: 0, dealt: 0 })],
  "too-little-for-any": [{}, traffic(0.2, { clusters: 12, authenticated: 1, dealt: 0 })],
  chosen: [{ steps: "auto" }, traffic(40, { clusters: 1200, authenticated: 0.3, dealt: 0.2 })],
  "chosen-without-traffic": [{ steps: "auto" }, null],
  "unknown-clients": [{}, traffic(40, null)],
};

const screens = (name: string): string => {
  const [written, seen] = situations[name] as (typeof situations)[string];
  const it = startAt("shop", release.parse(written), seen);
  return [80, 110].map((columns) => `-- ${columns} columns --\n${planText(it, columns)}`).join("\n");
};

it.each(Object.keys(situations))("%s reads as its golden file", (name) => {
  const seen = screens(name);
  const file = path.join(folder, `${name}.txt`);
  if (update) {
    fs.mkdirSync(folder, { recursive: true });
    fs.writeFileSync(file, seen);
  }
  expect(seen).toBe(fs.readFileSync(file, "utf8"));
});

it("the page of gray release shows the one that needs other steps", () => {
  const page = fs.readFileSync(path.join(import.meta.dirname, "../../docs/gray-release.md"), "utf8");
  const [written, seen] = situations["too-little-for-its-steps"] as (typeof situations)[string];
  expect(page).toContain(`rollout plan shop\n${planText(startAt("shop", release.parse(written), seen), 80)}`);
});

it("no golden file is left of a situation that is gone", () => {
  expect(fs.readdirSync(folder).sort()).toEqual(
    Object.keys(situations)
      .map((name) => `${name}.txt`)
      .sort(),
  );
});
