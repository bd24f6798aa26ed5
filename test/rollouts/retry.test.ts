/**
 * What came back and what follows: retries, rollbacks, deployments beside a rollout, what each command exits with, and which
 * users each rollout gives its new version first.
 */
import fs from "node:fs";
import type http from "node:http";
import path from "node:path";
import { expect, it } from "vitest";
import { isOver, type Rollout } from "../../functions/control/model/rollout.ts";
import { start } from "../../infra/commands/operate/rollout.ts";
import { deploy } from "../../infra/commands/release/deploy.ts";
import { rollback } from "../../infra/commands/release/rollback.ts";
import type { Outcome } from "../../infra/terminal/outcome.ts";
import { direct } from "../cloud/direct.ts";
import { postern, quietly } from "../command-line.ts";
import { manifest, runService } from "../e2e/project.ts";
import { until } from "../until.ts";
import { rolloutCloud } from "./rollout-cloud.ts";

const tier = (edit: string, url: string) =>
  manifest(
    "a",
    `release: { steps: ["0%", { share: 50%, hold: true }, "100%"], bake: 1s, smoke: [{ send: GET /it, expect: 200 }] }
filters: [{ headers: { response: { set: { x-release: ${edit} } } } }]
upstreams: { it: { http: "${url}" } }
routes:
  it: { match: GET /it, to: it }
`,
  );

it("a version that came back is retried, never rolled back to, and nothing is deployed over a rollout", {
  timeout: 240_000,
}, async () => {
  let isBroken = true;
  const { url } = await runService((request: http.IncomingMessage, response: http.ServerResponse) => {
    response.statusCode = isBroken && request.url?.startsWith("/bad") ? 500 : 200;
    response.end("ok");
  });
  const cloud = await rolloutCloud({ "routes/a.yaml": tier("zero", url) });
  const write = (edit: string) => cloud.edit("routes/a.yaml", tier(edit, edit === "two" ? `${url}/bad` : url));
  const run = (...words: readonly string[]) =>
    postern([...words, "--target", cloud.cloud.api as string, "--root", cloud.root]);
  // What changes the platform goes without wrangler's processes.
  const at = { root: cloud.root, target: direct(cloud.cloud.api as string) };
  const outcome = (work: () => Promise<Outcome>) =>
    quietly(work).then(
      ({ exitCode, text }) => ({ code: exitCode as number, text }),
      ({ message }) => ({ code: 3, text: String(message) }),
    );
  const deployed = (tiers: readonly string[], more: { split?: string; force?: true } = {}) =>
    outcome(() => deploy(tiers, { ...at, split: "100", ...more }));
  const started = () => outcome(() => start("a", { ...at, upload: true }));
  const rolledBack = () => outcome(() => rollback("a", at));
  const worker = () => cloud.cloud.control.worker("gate-a-local");
  const shares = () =>
    (worker().deployments[0]?.versions ?? []).map(({ version_id, percentage }) => [releaseOf(version_id), percentage]);
  const ids: Record<string, string> = {};
  /** Names the version that was uploaded last. */
  const noteVersion = (edit: string) => {
    ids[worker().versions.at(-1)?.id ?? ""] = edit;
  };
  const releaseOf = (id: string) => ids[id] ?? id;
  const isStep = (share: number) => async () => {
    const { goal, stretches } = await cloud.status("a");
    return goal.share === share && stretches.at(-1)?.share === share;
  };

  const devices = Array.from({ length: 200 }, (_, number) => `device-${number}`);
  /** Of the devices, in their order: whether each has this version. */
  const usersOf = (edit: string) =>
    Promise.all(
      devices.map(async (device) => {
        const response = await fetch(`${cloud.cloud.edge}/a/it`, { headers: { "x-device-id": device } });
        await response.arrayBuffer();
        return response.headers.get("x-release") === edit;
      }),
    );
  /** Those who have the new version at a step. Nobody changes it within the step. */
  const firstUsers = async (edit: string) => {
    const first = await usersOf(edit);
    expect(await usersOf(edit)).toEqual(first);
    return first;
  };

  noteVersion("zero");
  write("one");
  expect(await deployed(["a"])).toMatchObject({ code: 0 });
  noteVersion("one");

  // Its smoke test fails.
  write("two");
  expect(await started()).toMatchObject({ code: 0 });
  noteVersion("two");
  const first = await cloud.settled("a", 30_000);
  expect(first).toMatchObject({ status: "rolled-back", attempt: { number: 1, earlier: [] } });
  expect(await run("rollout", "status", "a")).toMatchObject({ code: 4 });

  // Neither a start nor a deployment gives it to users again by accident.
  for (const command of [started, () => deployed(["a"]), () => deployed([])]) {
    const { code, text } = await command();
    expect([code, text]).toEqual([3, expect.stringContaining("npx postern rollout retry a")]);
    expect(text).toContain(`rollout ${first.id}`);
    expect(text).toContain("smoke test GET /it: answered 500");
    expect(shares()).toEqual([["one", 100]]);
  }

  isBroken = false;
  const retried = await run("rollout", "retry", "a", "-m", "the service is mended");
  expect([retried.code, retried.out]).toEqual([0, expect.stringContaining("attempt 2 of this version")]);
  expect(retried.out).toContain(first.id);
  // A terminal of 80 columns wraps it.
  expect(retried.out.replaceAll(/\s+/g, " ")).toContain("smoke test GET /it: answered 500");
  await until(isStep(50), "half of the users have it");
  // The step holds until a person promotes it.
  await until(async () => (await cloud.status("a")).why.includes("holds until a person"), "it waits for a person");
  expect(await run("rollout", "status", "a")).toMatchObject({ code: 7 });
  expect(await run("rollout", "watch", "a")).toMatchObject({ code: 7 });
  const firstOfTwo = await firstUsers("two");

  // Another version, during the rollout.
  write("three");
  const { id } = await cloud.status("a");
  const refused = await deployed(["a"]);
  expect(refused.code).toBe(3);
  expect(refused.text).toMatch(
    new RegExp(`rollout ${id} by alice is waiting at 50 %[\\s\\S]*npx postern rollout abort a[\\s\\S]*--force`),
  );
  expect(await started()).toMatchObject({ code: 3 });
  expect(shares()).toEqual([
    ["one", 50],
    ["two", 50],
  ]);
  expect(await run("rollout", "pause", "a")).toMatchObject({ code: 0 });
  for (const command of ["status", "watch"]) expect(await run("rollout", command, "a")).toMatchObject({ code: 6 });
  expect(await deployed(["a"])).toMatchObject({ code: 3 });
  expect(await run("rollout", "resume", "a")).toMatchObject({ code: 0 });

  const promote = async () => (await run("rollout", "promote", "a")).code === 0;
  await until(promote, "it is promoted");
  expect(await run("rollout", "watch", "a")).toMatchObject({ code: 0 });
  expect(shares()).toEqual([["two", 100]]);
  // Aborted after all.
  expect(await run("rollout", "abort", "a", "-m", "late complaints")).toMatchObject({ code: 0 });
  await until(async () => isOver(await cloud.status("a")), "it is back");
  expect(shares()).toEqual([["one", 100]]);

  const listed = await run("releases", "a");
  expect(listed.out).toMatch(/taken back/);
  const back = await rolledBack();
  expect(shares()).toEqual([["zero", 100]]);
  expect(back.text).toMatch(
    /skipped [0-9a-f]{8}, taken back by rollout [0-9a-f]{8} at [^\n]*: alice aborted it: late complaints/,
  );
  expect(back.text).toContain("control's history");
  const none = await rolledBack();
  expect([none.code, none.text]).toEqual([3, expect.stringMatching(/no version to roll back to: each[\s\S]*--to/)]);
  expect(shares()).toEqual([["zero", 100]]);

  // Without control, the platform's deployments name the rollout.
  const file = "routes/environments/local.yaml";
  const environment = fs.readFileSync(path.join(cloud.root, file), "utf8");
  cloud.edit(file, environment.replaceAll(cloud.cloud.edge, "http://localhost:9"));
  const alone = await rolledBack();
  expect([alone.code, alone.text]).toEqual([
    3,
    expect.stringMatching(
      /, taken back by rollout [0-9a-f]{8} at [-0-9: ]+ UTC\n[\s\S]*the platform's last deployments alone: http:\/\/localhost:9 does not answer/,
    ),
  ]);
  cloud.edit(file, environment);
  // A person may choose one all the same.
  const two = Object.keys(ids).find((id) => ids[id] === "two") ?? "";
  const chosen = await outcome(() => rollback("a", { ...at, to: two.slice(0, 8) }));
  expect(chosen.text).toContain("although it was taken back by rollout");
  expect(shares()).toEqual([["two", 100]]);
  await outcome(() => rollback("a", { ...at, to: worker().versions[0]?.id }));

  const history = await cloud.client.call<readonly Rollout[]>("GET", "/v1/tiers/a/rollouts");
  expect(history.map(({ attempt }) => attempt?.number)).toEqual([2, 1]);
  expect(history[0]?.attempt?.earlier).toMatchObject([{ id: first.id, status: "rolled-back", by: "alice" }]);

  // What the platform runs is not what was decided: someone forced another version over the rollout.
  expect(await started()).toMatchObject({ code: 0 });
  noteVersion("three");
  await until(isStep(50), "half of the users have it");
  // Half of the users who were the first before are the first again, as by chance: 100 of 200, and 5 standard deviations.
  const firstOfThree = await firstUsers("three");
  const again = devices.filter((_, index) => firstOfTwo[index] === firstOfThree[index]);
  expect(again.length).toBeGreaterThan(65);
  expect(again.length).toBeLessThan(135);
  write("four");
  expect(await deployed(["a"], { split: "20", force: true })).toMatchObject({ code: 0 });
  noteVersion("four");
  await until(async () => (await cloud.status("a")).status === "paused", "it is paused");
  const shown = await run("rollout", "status", "a");
  expect(shown.code).toBe(6);
  expect(shown.out).toMatch(/decided: 50 %/);
  expect(shown.out).toMatch(/runs another version: [0-9a-f]{8} at 20 %/);
});
