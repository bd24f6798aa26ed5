/** A copy of what control and the feed alone know, and its way back into an account that has lost it. */
import fs from "node:fs";
import type http from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { createAdaptorServer } from "@hono/node-server";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { addOverlayRoutes } from "../../functions/control/api/overlays.ts";
import type { ControlPorts } from "../../functions/control/api/ports.ts";
import { addRevocationRoutes } from "../../functions/control/api/revocations.ts";
import { adminApi } from "../../functions/control/api/router.ts";
import type { ControlPlan } from "../../functions/control/model/plan.ts";
import type { Feed } from "../../functions/control/overlay/feed-client.ts";
import { feedStoreOn } from "../../functions/feed/entries.ts";
import { exportState, importState } from "../../infra/commands/operate/state.ts";
import { compile } from "../../infra/compiler/compile.ts";
import { postern, quietly } from "../command-line.ts";
import { writeProject } from "../e2e/project.ts";

const issuer = "https://id.example";
const hash = (index: number) => index.toString(16).padStart(64, "0");
const hour = 3_600_000;

/** An admin API of the project's own operator, with a feed and a ledger in memory. */
const startControl = async (root: string, ledgerLines = 0) => {
  const stored = new Map<string, Map<string, unknown>>();
  const feedOf = (tier: string) => {
    const map = stored.get(tier) ?? new Map<string, unknown>();
    stored.set(tier, map);
    const storage = {
      get: async (name: string) => structuredClone(map.get(name)),
      put: async (name: string, value: unknown) => void map.set(name, structuredClone(value)),
    };
    return feedStoreOn(storage as never, Date.now);
  };
  const feed: Feed = {
    read: (tier) => feedOf(tier).read(),
    write: (tier, ...args) => feedOf(tier).write(...args),
  };
  const ledger = Array.from({ length: ledgerLines }, (_, index) => ({ id: index + 1, what: "old" }) as object);
  let ids = 0;
  const ports = {
    overlay: feed,
    ledger: {
      spend: async () => "spent",
      write: async (line: object) => ledger.push({ id: ledger.length + 1, ...line }),
      settle: async () => {},
      lines: async (_: string | null, max: number, before = Number.POSITIVE_INFINITY) =>
        ledger
          .filter((line) => (line as { id: number }).id < before)
          .toReversed()
          .slice(0, max),
    },
    history: async () => [],
    now: Date.now,
    uuid: () => `${String(++ids).padStart(8, "0")}-0000`,
    log: () => {},
  } as unknown as ControlPorts;
  const { value } = compile(root, "staging").environment;
  const tier = {
    level: "standard",
    routes: { r: { weights: [["x", 1]] } },
    filters: { limit: { use: "rate-limit", mode: "enforce", limit: "9/s" } },
    issuers: [issuer],
  };
  const plan = {
    environment: "staging",
    operators: value.control?.operators,
    tiers: { a: tier, b: tier },
  } as unknown as ControlPlan;
  const app = adminApi(plan, ports);
  addOverlayRoutes(app, plan, ports);
  addRevocationRoutes(app, plan, ports);
  app.get("/v1/waves", (c) => c.json([]));
  const server = createAdaptorServer({ fetch: app.fetch }) as http.Server;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const file = path.join(root, "routes/environments/staging.yaml");
  const front = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  fs.writeFileSync(
    file,
    fs.readFileSync(file, "utf8").replace(/(?: {2}front: .*\n)?( {2}operators:)/, `  front: ${front}\n$1`),
  );
  return { feed, ledger };
};

const prepare = async () => {
  const root = writeProject({ "routes/environments/staging.yaml": "values: {}\n" });
  const given = ["--host", "control.acme.example", "--account", `${"0".repeat(31)}1`, "--operator", "ann"];
  await postern(["control", "init", "--env", "staging", "--root", root, ...given]);
  vi.stubEnv("POSTERN_OPERATOR", undefined);
  onTestFinished(() => void vi.unstubAllEnvs());
  const options = { root, env: "staging", target: "local" };
  const file = path.join(root, "state.json");
  return { root, file, options };
};

const entry = (id: string, more: object) => ({ id, until: Date.now() + hour, by: "bob", reason: "a reason", ...more });

/** What is lost with an account. */
const fill = async (feed: Feed): Promise<void> => {
  await feed.write(
    "a",
    0,
    [
      entry("1", { kind: "close", route: "r", closed: { "retry-after": "30s", detail: "back soon" } }),
      entry("2", { kind: "limit", filter: "limit", limit: "1/s" }),
      entry("3", { kind: "drain", versions: ["v"], ends: Date.now() + hour }),
      entry("4", { kind: "weights", route: "r", weights: { x: 5 } }),
    ] as never,
    [
      entry("5", { kind: "token", issuer, hash: hash(1) }),
      entry("6", {
        kind: "consumer",
        issuer,
        hash: hash(2),
        before: 1_700_000_000,
        until: Date.now() + 30 * 24 * hour,
      }),
    ] as never,
  );
};

const essence = async (feed: Feed) => {
  const { entries, revoked = [] } = await feed.read("a");
  return [...entries, ...revoked].map(({ id: _, by: __, reason, until, ...it }) => ({
    ...it,
    reason: reason.replace("restored, of bob: ", ""),
    minutes: Math.round((until - Date.now()) / 60_000 / 2),
  }));
};

describe("postern state", () => {
  it("exports all of it, and imports what has not ended, once", async () => {
    const { root, file, options } = await prepare();
    const lost = await startControl(root, 450);
    await fill(lost.feed);
    const exported = await quietly(() => exportState(file, options));
    expect([exported.exitCode, exported.data]).toEqual([
      0,
      { file, environment: "staging", tiers: 2, overlay: 4, revocations: 2, ledger: 450 },
    ]);
    expect(fs.statSync(file).mode & 0o777).toBe(0o600);
    const copy = JSON.parse(fs.readFileSync(file, "utf8"));
    expect(copy.ledger.map(({ id }: { id: number }) => id)).toEqual(Array.from({ length: 450 }, (_, at) => 450 - at));

    const fresh = await startControl(root);
    const restored = await quietly(() => importState(file, options));
    expect([restored.exitCode, restored.text]).toEqual([0, expect.stringContaining("restored 5, and 450 lines")]);
    // What control writes for a rollout belongs to that rollout.
    const before = (await essence(lost.feed)).filter(({ kind }) => kind !== "drain");
    expect(await essence(fresh.feed)).toEqual(before);
    // Each is in the new ledger under the name of who restored it.
    expect(fresh.ledger).toHaveLength(5);
    expect(fresh.ledger).toMatchObject(Array.from({ length: 5 }, () => ({ by: "ann" })));
    expect((await quietly(() => importState(file, options))).text).toContain("restored 0,");
    expect(await essence(fresh.feed)).toEqual(before);
  });

  it("says what control refuses, restores all else, and goes on at the next call", async () => {
    const { root, file, options } = await prepare();
    await fill((await startControl(root)).feed);
    await quietly(() => exportState(file, options));
    const copy = JSON.parse(fs.readFileSync(file, "utf8"));
    copy.tiers.a.entries[1].filter = "gone";
    copy.tiers.a.revoked[0].until = 1;
    copy.tiers.c = copy.tiers.b;
    fs.writeFileSync(file, JSON.stringify(copy));
    const { feed } = await startControl(root);
    const { exitCode, text, data } = await quietly(() => importState(file, options));
    expect(exitCode).toBe(1);
    expect(data).toMatchObject({
      failed: [expect.stringMatching(/^a: limit .*no filter "gone"/), expect.stringMatching(/^c: /)],
    });
    expect(text).toContain("not restored:");
    expect((await essence(feed)).map(({ kind }) => kind)).toEqual(["close", "weights", "consumer"]);
  });

  it("revokes what a later moment of the copy revokes, and never less than what is there", async () => {
    const { root, file, options } = await prepare();
    await fill((await startControl(root)).feed);
    await quietly(() => exportState(file, options));
    const at = async (before: number) => {
      const { feed } = await startControl(root);
      await feed.write("a", 0, [], [entry("1", { kind: "consumer", issuer, hash: hash(2), before })] as never);
      await quietly(() => importState(file, options));
      const { revoked = [] } = await feed.read("a");
      return revoked.flatMap((it) => (it.kind === "consumer" ? [it.before] : []));
    };
    expect([await at(1_600_000_000), await at(1_800_000_000)]).toEqual([[1_700_000_000], [1_800_000_000]]);
  });

  it.each([
    [
      "of another environment",
      '{"postern":"state","format":1,"environment":"production","tiers":{},"ledger":[]}',
      /of the environment production/,
    ],
    ["of something else", "{}", /no file of npx postern state export/],
    [
      "of a later format",
      '{"postern":"state","format":2,"environment":"staging","tiers":{},"ledger":[]}',
      /no file of/,
    ],
  ])("takes no file %s", async (_, text, said) => {
    const { file, options } = await prepare();
    fs.writeFileSync(file, text);
    await expect(importState(file, options)).rejects.toThrow(said);
  });

  it("writes no copy of which a part is missing", async () => {
    const { root, file, options } = await prepare();
    const { ledger, feed } = await startControl(root, 450);
    await fill(feed);
    // Control of an earlier release knows no `before`.
    vi.spyOn(ledger, "filter").mockImplementation(() => ledger as never);
    await expect(exportState(file, options)).rejects.toThrow(/earlier release/);
    expect(fs.existsSync(file)).toBe(false);
  });
});
