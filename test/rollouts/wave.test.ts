/**
 * A wave with one bad tier, under load, in the long form uploaded by real wrangler: other tiers are unharmed, and core is not released. A second
 * wave, with the cause mended, tries that tier's version again and promotes all.
 * CI has fewer tiers than the thirty of the long form: `POSTERN_WAVE_TIERS=30`.
 */
import type http from "node:http";
import { expect, it } from "vitest";
import { isWaveOver, type Wave } from "../../functions/control/model/wave.ts";
import { machinePids } from "../../infra/cloud/machine/orphans.ts";
import { approve } from "../../infra/commands/operate/rollout.ts";
import { start, status } from "../../infra/commands/operate/wave.ts";
import { direct } from "../cloud/direct.ts";
import { manifest, runService } from "../e2e/project.ts";
import { until } from "../until.ts";
import { full, type RolloutCloud, rolloutCloud, startUsers } from "./rollout-cloud.ts";

const count = Number(process.env.POSTERN_WAVE_TIERS ?? (full ? 30 : 6));

const named = (release: string) => `filters: [{ headers: { response: { set: { x-release: ${release} } } } }]\n`;

/** These tiers need only a smoke test, not thousands of users. */
const good = (tier: string, level: string, edit: string) =>
  manifest(
    tier,
    `level: ${level}
release: { steps: ["0%", "100%"], bake: 1s, smoke: [{ send: GET /it, expect: 200 }] }
${named(`${tier}-${edit}`)}routes:
  it: { match: GET /it, respond: { status: 200, text: "${edit}" } }
`,
  );

/** How a tier is released is no part of its version. */
const measured = `{ steps: ["0%", "50%", "100%"], bake: 10s, tolerate: { errors: +2pp, p99: +400%, refusals: +2pp } }`;
const smokeOnly = `{ steps: ["0%", "100%"], bake: 1s, smoke: [{ send: GET /it, expect: 200 }] }`;

const bad = (tier: string, url: string, edit: string, release: string) =>
  manifest(
    tier,
    `level: best-effort
release: ${release}
${named(`${tier}-${edit}`)}upstreams: { it: { http: "${url}" } }
routes:
  it: { match: GET /it, to: it }
`,
  );

/** A business service that is healthy, except that `/bad` fails one request in three until it is mended. */
const business = async () => {
  let requests = 0;
  const scenario = { isMended: false };
  const { url } = await runService((request: http.IncomingMessage, response: http.ServerResponse) => {
    const isBad = request.url?.startsWith("/bad") && ++requests % 3 === 0;
    response.statusCode = isBad && !scenario.isMended ? 500 : 200;
    response.end("ok");
  });
  return { url, scenario };
};

const numbered = (name: string, from: number, to: number) =>
  Array.from({ length: Math.max(0, to - from) }, (_, index) => `${name}-${String(from + index).padStart(2, "0")}`);

const ended = async (it: RolloutCloud, withinMs: number): Promise<Wave> => {
  let wave = await it.client.call<Wave>("GET", "/v1/wave");
  const over = async () => {
    wave = await it.client.call<Wave>("GET", "/v1/wave");
    return isWaveOver(wave);
  };
  await until(over, () => `the wave is over: ${JSON.stringify(wave)}`, withinMs);
  return wave;
};

it(`over ${count} tiers with one bad: the others are unharmed, core is untouched, and the next wave retries the bad one`, {
  timeout: 400_000,
}, async () => {
  const { url, scenario } = await business();
  const core = ["pay-01", "pay-02"];
  const standard = numbered("shop", 0, Math.floor(count / 5));
  const before = numbered("news", 0, 2);
  const after = numbered("open", 0, count - 1 - before.length - standard.length - core.length);
  const level = (tier: string) => (core.includes(tier) ? "core" : standard.includes(tier) ? "standard" : "best-effort");
  const others = [...before, ...after, ...standard, ...core];
  const files = (edit: string, broken: string, release = measured): Record<string, string> =>
    Object.fromEntries([
      ["routes/odd.yaml", bad("odd", `${url}${broken}`, edit, release)],
      ...others.map((tier) => [`routes/${tier}.yaml`, good(tier, level(tier), edit)]),
    ]);

  const it = await rolloutCloud(files("one", ""));
  const write = (all: Record<string, string>) => {
    for (const [file, content] of Object.entries(all)) it.edit(file, content);
  };
  write(files("two", "/bad"));
  const workerOf = (tier: string) => it.cloud.control.worker(`gate-${tier}-local`);

  const at = { root: it.root, target: full ? it.cloud.api : direct(it.cloud.api) };
  const proposal = await start({ ...at, as: "alice", all: true, concurrent: "3", message: "a test" });
  const { id } = (proposal.data as { readonly proposal: { readonly id: string } }).proposal;
  const uploaded = new Map(others.map((tier) => [tier, workerOf(tier).deployments.length]));
  // The bad one gets as many requests as all others together.
  const paths = others.flatMap((tier) => [`/${tier}/it`, "/odd/it"]);
  const load = startUsers(it.cloud.edge, paths.join(","), 200, 100);
  // It contains a core tier, so a second person has to approve it.
  expect(await approve(id, { ...at, as: "bob" })).toMatchObject({
    exitCode: 0,
    text: expect.stringContaining("RUNNING"),
  });
  const wave = await ended(it, 120_000);
  await it.settled("odd", 10_000);
  const met = await load.end();

  expect(wave).toMatchObject({
    status: "failed",
    by: "alice and bob",
    why: expect.stringMatching(/^odd failed: [\d,]+ of [\d,]+ requests? failed /),
  });
  expect(wave.members).toHaveLength(count);
  const shown = await status(at);
  expect([shown.exitCode, shown.text]).toEqual([
    4,
    expect.stringMatching(/odd .* failed +[\d,]+ of [\d,]+ requests failed /),
  ]);
  const placeOf = (tier: string) => wave.members.find((member) => member.tier === tier)?.place;
  expect(before.map(placeOf)).toEqual(before.map(() => "promoted"));
  expect([...standard, ...core].map(placeOf)).toEqual([...standard, ...core].map(() => "waiting"));
  for (const tier of [...standard, ...core]) expect(workerOf(tier).deployments).toHaveLength(uploaded.get(tier) ?? 0);
  for (const tier of core) expect(met.releases[`${tier}-two`]).toBeUndefined();
  // Each started tier was promoted, with one version for all users.
  for (const tier of others) {
    const { versions } = workerOf(tier).deployments[0] ?? { versions: [] };
    expect(versions).toHaveLength(placeOf(tier) === "promoted" ? 1 : 2);
  }
  expect(workerOf("odd").deployments[0]?.versions).toMatchObject([{ percentage: 100 }]);
  // Only users of the bad version had failures.
  expect(Object.keys(met.failures)).toEqual(["odd-two"]);
  expect(met.lost).toBe(0);
  expect(Object.keys(met.counts).sort()).toEqual(["200", "500"]);
  console.log(
    `${count} tiers, ${met.sent} requests: ${met.failures["odd-two"]} failed, all of the bad version; ${wave.members.filter(({ place }) => place === "promoted").length} promoted, ${wave.members.filter(({ place }) => place === "waiting").length} not begun`,
  );

  // The cause is mended. The bad tier's version is uploaded, and has no share.
  scenario.isMended = true;
  write(files("two", "/bad", smokeOnly));
  const versions = workerOf("odd").versions.length;
  const second = await start({ ...at, as: "alice", all: true, concurrent: "5", message: "again" });
  expect(second.exitCode).toBe(7);
  const again = (second.data as { readonly proposal: { readonly id: string } }).proposal;
  expect(await approve(again.id, { ...at, as: "bob" })).toMatchObject({ exitCode: 0 });
  const startedAt = Date.now();
  const retried = await ended(it, 150_000);
  expect(retried).toMatchObject({ status: "promoted" });
  const begun = wave.members.filter(({ place }) => place === "promoted").length;
  expect(retried.members).toHaveLength(count - begun);
  expect(retried.notes.map(({ what }) => what)).toContainEqual(
    expect.stringMatching(
      /^odd under-way: .*attempt 2 of this version: rollout [0-9a-f]{8} was rolled back: [\d,]+ of [\d,]+ requests failed /,
    ),
  );
  expect(await it.status("odd")).toMatchObject({ status: "promoted", attempt: { number: 2 } });
  expect(workerOf("odd").versions).toHaveLength(versions);
  for (const tier of [...others, "odd"])
    expect(workerOf(tier).deployments[0]?.versions).toMatchObject([{ percentage: 100 }]);
  const shownAgain = await status(at);
  expect(shownAgain.exitCode).toBe(0);
  console.log(
    `the second wave: ${retried.members.length} tiers promoted in ${((Date.now() - startedAt) / 1000).toFixed(0)} s, the one that had come back among them`,
  );
});

it.runIf(full)("continues after kill -9, and starts no rollout twice", { timeout: 400_000 }, async () => {
  const tiers = ["news", "maps", "open", "shop"];
  const files = (edit: string) =>
    tiers.map((tier) => [`routes/${tier}.yaml`, good(tier, "best-effort", edit)] as const);
  const it = await rolloutCloud(Object.fromEntries(files("one")));
  for (const [file, content] of files("two")) it.edit(file, content);
  await start({ root: it.root, target: it.cloud.api, as: "alice", all: true, concurrent: "2", message: "a test" });
  let wave: Wave | undefined;
  for (let looks = 0; looks < 120 && !(wave && isWaveOver(wave)); looks++) {
    if (looks % 4 === 1) for (const pid of machinePids(`${it.root}/.cloud`)) process.kill(pid, "SIGKILL");
    await new Promise((wake) => setTimeout(wake, 700));
    // Retries while control is briefly unavailable.
    wave = await it.client.call<Wave>("GET", "/v1/wave").catch(() => wave);
  }
  expect(wave).toMatchObject({ status: "promoted" });
  for (const tier of tiers) {
    const ours = it.cloud.control
      .worker(`gate-${tier}-local`)
      .deployments.map(({ annotations }) => annotations["workers/message"] ?? "")
      .filter((message) => /^postern [0-9a-f]+\//.test(message))
      .toReversed();
    expect(ours.map((message) => message.replace(/^.*: /, ""))).toEqual(["0 %", "100 %"]);
  }
});
