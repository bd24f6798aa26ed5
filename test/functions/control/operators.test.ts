/** Who is taken for whom: a call that is made again, and a second person who is none. */

import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { describe, expect, it } from "vitest";
import { controlAudience } from "../../../functions/control/api/operators.ts";
import type { Desk, StartAsked } from "../../../functions/control/api/ports.ts";
import { addProposals } from "../../../functions/control/api/proposals.ts";
import { adminApi } from "../../../functions/control/api/router.ts";
import { ledgerOn } from "../../../functions/control/audit/ledger.ts";
import type { Shown } from "../../../functions/control/audit/record.ts";
import { otherVersions } from "../../../functions/control/model/approval.ts";
import type { ControlPlan, Operator, TierFacts } from "../../../functions/control/model/plan.ts";
import { Refusal } from "../../../functions/control/model/refusal.ts";

const pair = async () => {
  const { publicKey, privateKey } = await generateKeyPair("EdDSA");
  return { key: privateKey, x: (await exportJWK(publicKey)).x as string };
};
const [a, b, c] = await Promise.all([pair(), pair(), pair()]);

const office = <T>(work: (stand: ReturnType<typeof over>) => Promise<T>): Promise<T> => {
  const { COUNTERS } = env as unknown as { readonly COUNTERS: DurableObjectNamespace };
  const object = COUNTERS.getByName(crypto.randomUUID());
  return runInDurableObject(object, (_, { storage }) => work(over(storage.sql))) as Promise<T>;
};

/** Control over a ledger of the runtime. Operators change when it is deployed again. */
const over = (sql: SqlStorage) => {
  let now = Date.UTC(2026, 10, 1);
  let count = 0;
  const done: string[] = [];
  const ledger = ledgerOn(sql);
  /** What would be released now. */
  const world = { canary: "v1" };
  const desk = {
    status: async () => null,
    candidates: async () => [{ worker: "gate", stable: "v0", canary: world.canary, tag: "d1", message: null }],
    start: async (tier: string, _: unknown, { by, approved }: StartAsked) => {
      const other = approved && otherVersions(approved, await desk.candidates("", {} as TierFacts));
      if (other) throw new Refusal(other);
      done.push(`${by}: start ${tier}`);
      return { status: "running", why: "" };
    },
    ledger: Object.fromEntries(
      Object.entries(ledger).map(([name, call]) => [
        name,
        async (...given: never[]) => (call as (...all: never[]) => unknown)(...given),
      ]),
    ),
    tell: async () => {},
    now: () => now,
    uuid: () => `p${++count}-0000`,
    log: () => {},
  } as unknown as Desk;
  const operators: Record<string, Operator> = {
    alice: { key: a.x, role: "operator" },
    bob: { key: b.x, role: "admin" },
  };
  const tier = (level: string) => ({ level, workers: ["gate"], routes: {}, filters: {}, release: {} });
  const plan = { environment: "test", operators, tiers: { core: tier("core"), calm: tier("standard") } };
  const app = adminApi(plan as unknown as ControlPlan, desk);
  addProposals(app, plan as unknown as ControlPlan, desk);
  const tokenOf = (name: string, key: CryptoKey, jti?: string) => {
    const seconds = Math.floor(now / 1000);
    const token = new SignJWT({ env: "test", ...(jti !== undefined && { jti }) })
      .setProtectedHeader({ alg: "EdDSA", kid: name })
      .setSubject(name)
      .setAudience(controlAudience)
      .setIssuedAt(seconds)
      .setExpirationTime(seconds + 60);
    return token.sign(key);
  };
  const send = async (token: string, path: string, method = "POST", given: object = { reason: "a test" }) => {
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    const body = method === "POST" ? JSON.stringify(given) : null;
    const response = await app.request(path, { method, headers, body });
    return {
      status: response.status,
      said: JSON.parse((await response.text()) || "{}") as { detail?: string; proposal?: Shown },
    };
  };
  const proposed = async () => {
    const { said } = await send(await tokenOf("alice", a.key, "p"), "/v1/tiers/core/rollouts");
    const { id, fingerprint } = said.proposal as Shown;
    return (token: string, given: object = { fingerprint }) => send(token, `/v1/proposals/${id}`, "POST", given);
  };
  return { world, operators, done, sql, tokenOf, send, proposed, pass: (ms: number) => (now += ms), now: () => now };
};

const start = "/v1/tiers/calm/rollouts";

/** Tokens that an operator has written with. */
const fill = (sql: SqlStorage, by: string, count: number, until: number): void => {
  const numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)";
  sql.exec(`${numbers} INSERT INTO spent SELECT ?, 'x' || i, ? FROM n`, count, by, until);
};

describe("an operator's token", () => {
  it("writes once, whoever sends it again, and reads as often as it likes", () =>
    office(async ({ send, tokenOf, done }) => {
      const token = await tokenOf("alice", a.key, "1");
      expect((await send(token, start)).status).toBe(200);
      expect(await send(token, start)).toMatchObject({
        status: 401,
        said: { detail: expect.stringContaining("already") },
      });
      expect((await send(token, "/v1/tiers", "GET")).status).toBe(200);
      expect(done).toHaveLength(1);
      expect((await send(await tokenOf("bob", b.key, "1"), start)).status).toBe(200);
    }));

  it("that has no name of its own writes nothing", () =>
    office(async ({ send, tokenOf, done }) => {
      for (const jti of [undefined, "", "x".repeat(101)]) {
        const token = await tokenOf("alice", a.key, jti);
        expect(await send(token, start)).toMatchObject({
          status: 401,
          said: { detail: expect.stringContaining("jti") },
        });
        expect((await send(token, "/v1/tiers", "GET")).status).toBe(200);
      }
      expect(done).toEqual([]);
    }));

  it("is remembered until it has expired, also where clocks differ", () =>
    office(async ({ send, tokenOf, sql, pass, done }) => {
      const token = await tokenOf("alice", a.key, "1");
      await send(token, start);
      pass(64_000);
      expect((await send(token, start)).status).toBe(401);
      pass(1_000);
      expect((await send(token, start)).said.detail).toContain("Bearer");
      await send(await tokenOf("alice", a.key, "2"), start);
      expect(sql.exec(`SELECT "by", id FROM spent`).toArray()).toEqual([{ by: "alice", id: "2" }]);
      expect(done).toHaveLength(2);
    }));

  it("that fills its operator's room locks out nobody else, and not what stops something", () =>
    office(async ({ send, tokenOf, sql, now, pass, done }) => {
      fill(sql, "alice", 1000, now() + 60_000);
      expect(await send(await tokenOf("alice", a.key, "1"), start)).toMatchObject({ status: 429 });
      expect((await send(await tokenOf("bob", b.key, "1"), start)).status).toBe(200);
      const stopping = [
        "/v1/tiers/calm/rollout/abort",
        "/v1/tiers/calm/rollout/pause",
        "/v1/tiers/calm/overlay",
        "/v1/tiers/calm/revocations",
        "/v1/wave/abort",
        "/v1/wave/pause",
      ];
      for (const path of stopping) expect((await send(await tokenOf("alice", a.key, path), path)).status).not.toBe(429);
      for (const path of ["/v1/tiers/calm/rollout/promote", "/v1/wave/resume", "/v1/tiers/calm/overlay/1/abort"])
        expect((await send(await tokenOf("alice", a.key, path), path)).status).toBe(429);
      pass(60_000);
      expect((await send(await tokenOf("alice", a.key, "2"), start)).status).toBe(200);
      expect(done).toHaveLength(2);
    }));

  it("is not remembered for longer than a token can live, whatever it said of its end", () =>
    office(async ({ send, tokenOf, sql, now }) => {
      fill(sql, "alice", 1200, now() + 31_536_000_000);
      expect((await send(await tokenOf("alice", a.key, "1"), start)).status).toBe(200);
    }));

  it("that an earlier release remembered writes no second time", async () => {
    const { COUNTERS } = env as unknown as { readonly COUNTERS: DurableObjectNamespace };
    await runInDurableObject(COUNTERS.getByName(crypto.randomUUID()), (_, { storage: { sql } }) => {
      sql.exec("CREATE TABLE tokens (token TEXT PRIMARY KEY, until INTEGER NOT NULL) WITHOUT ROWID");
      sql.exec("INSERT INTO tokens VALUES ('alice 1', 60000)");
      const { spend } = ledgerOn(sql);
      const token = { by: "alice", id: "1", until: 60_000, stops: false };
      expect([spend(token, 0), spend({ ...token, id: "2" }, 0)]).toEqual(["replayed", "spent"]);
      expect(ledgerOn(sql).spend(token, 0)).toBe("replayed");
    });
  });
});

describe("what waits for a second person", () => {
  it("is done when another approves it, once", () =>
    office(async ({ tokenOf, proposed, done }) => {
      const approve = await proposed();
      expect((await approve(await tokenOf("bob", b.key, "1"))).status).toBe(200);
      expect((await approve(await tokenOf("bob", b.key, "2"))).status).toBe(404);
      expect(done).toEqual(["alice and bob: start core"]);
    }));

  it.each<[string, Record<string, Operator>]>([
    ["is no operator any more", {}],
    ["only reads now", { alice: { key: a.x, role: "viewer" } }],
    ["has another key now", { alice: { key: c.x, role: "operator" } }],
  ])("is not done where who proposed it %s", (_, left) =>
    office(async ({ tokenOf, proposed, done, operators }) => {
      const approve = await proposed();
      delete operators.alice;
      Object.assign(operators, left);
      expect(await approve(await tokenOf("bob", b.key, "1"))).toMatchObject({
        status: 403,
        said: { detail: expect.stringContaining("may not any more") },
      });
      expect(done).toEqual([]);
    }),
  );

  it("is not approved under a second name with the same key", () =>
    office(async ({ tokenOf, proposed, done, operators }) => {
      const approve = await proposed();
      operators.alicia = { key: a.x, role: "admin" };
      expect(await approve(await tokenOf("alicia", a.key, "1"))).toMatchObject({
        status: 403,
        said: { detail: expect.stringContaining("a second person") },
      });
      expect(done).toEqual([]);
    }));

  it("is not done where something else would be released by now, and waits no more", () =>
    office(async ({ tokenOf, proposed, done, world }) => {
      const approve = await proposed();
      world.canary = "v2";
      expect(await approve(await tokenOf("bob", b.key, "1"))).toMatchObject({
        status: 409,
        said: { detail: expect.stringContaining("gate has version v2") },
      });
      world.canary = "v1";
      expect((await approve(await tokenOf("bob", b.key, "2"))).status).toBe(404);
      expect(done).toEqual([]);
    }));

  it.each<[string, object, number]>([
    ["names nothing", {}, 400],
    ["names something else", { fingerprint: "0".repeat(64) }, 409],
  ])("is not done for who %s, and goes on waiting", (_, given, status) =>
    office(async ({ tokenOf, proposed, done }) => {
      const approve = await proposed();
      expect((await approve(await tokenOf("bob", b.key, "1"), given)).status).toBe(status);
      expect(done).toEqual([]);
      expect((await approve(await tokenOf("bob", b.key, "2"))).status).toBe(200);
    }),
  );

  it("takes one operator's room, and no other's", () =>
    office(async ({ tokenOf, proposed, done, send, sql, now }) => {
      const numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100)";
      const fields = `'x' || i, ?, 'alice', '', 'core', 'start', '{"bound":{"versions":[]}}'`;
      sql.exec(`${numbers} INSERT INTO waiting SELECT ${fields} FROM n`, now() + 60_000);
      const start = "/v1/tiers/core/rollouts";
      expect(await send(await tokenOf("alice", a.key, "1"), start)).toMatchObject({
        status: 409,
        said: { detail: expect.stringContaining("too many proposals of alice") },
      });
      expect((await send(await tokenOf("bob", b.key, "1"), start)).status).toBe(202);
      sql.exec("DELETE FROM waiting");
      sql.exec(
        "INSERT INTO waiting VALUES ('x', ?, 'alice', '', '*', 'wave start', ?)",
        now() + 1,
        "x".repeat(2 ** 20),
      );
      expect((await send(await tokenOf("alice", a.key, "2"), start)).status).toBe(409);
      sql.exec("DELETE FROM waiting");
      expect((await (await proposed())(await tokenOf("bob", b.key, "2"))).status).toBe(200);
      expect(done).toEqual(["alice and bob: start core"]);
    }));

  it("is gone after an hour", () =>
    office(async ({ tokenOf, proposed, done, pass }) => {
      const approve = await proposed();
      pass(3_600_000);
      expect((await approve(await tokenOf("bob", b.key, "1"))).status).toBe(404);
      expect(done).toEqual([]);
    }));

  const boundTo = (version: object) => ({ bound: { versions: [version], commit: null } });
  const version = { worker: "gate", stable: "v0", canary: "v1", tag: null, message: null };
  it.each<[string, string, string]>([
    ["names no version", "start", "{}"],
    ["is no JSON", "start", "x"],
    ["is nothing", "start", "null"],
    ["names a version otherwise", "start", JSON.stringify({ reason: "a test", ...boundTo({ id: "v1" }) })],
    ["gives no reason", "start", JSON.stringify(boundTo(version))],
    [
      "has a release that does not hold",
      "start",
      JSON.stringify({ reason: "a test", release: { steps: ["5%"] }, ...boundTo(version) }),
    ],
    ["says more than this release knows", "start", JSON.stringify({ reason: "a test", more: 1, ...boundTo(version) })],
    ["asks for something unknown", "dance", JSON.stringify({ reason: "a test", ...boundTo(version) })],
  ])("is not done where another release wrote it and it %s", (_, what, body) =>
    office(async ({ tokenOf, proposed, done, sql, send }) => {
      await proposed();
      sql.exec("UPDATE waiting SET what = ?, body = ?", what, body);
      const { said } = await send(await tokenOf("bob", b.key, "1"), "/v1/proposals", "GET");
      const [{ id, fingerprint }] = said as unknown as [Shown];
      const old = await send(await tokenOf("bob", b.key, "2"), `/v1/proposals/${id}`, "POST", { fingerprint });
      expect(old).toMatchObject({ status: 409, said: { detail: expect.stringContaining("propose it anew") } });
      expect(done).toEqual([]);
    }),
  );
});

describe("the audit trail", () => {
  const line = { at: 0, what: "start", tier: "a", reason: "", before: "", asked: "" };
  const trail = async (work: (sql: SqlStorage) => void): Promise<void> => {
    const { COUNTERS } = env as unknown as { readonly COUNTERS: DurableObjectNamespace };
    await runInDurableObject(COUNTERS.getByName(crypto.randomUUID()), (_, { storage }) => work(storage.sql));
  };

  it("is not forgotten because one operator writes without end", () =>
    trail((sql) => {
      const ledger = ledgerOn(sql);
      ledger.write({ ...line, by: "bob" });
      const numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)";
      const fields = "NULL, 0, 'mallory', 'start', 'a', '', '', '', ''";
      sql.exec(`${numbers} INSERT INTO lines SELECT ${fields} FROM n`);
      for (let count = 0; count < 100; count++) ledger.write({ ...line, by: "mallory" });
      const kept = sql.exec(`SELECT "by", COUNT(*) AS n FROM lines GROUP BY "by" ORDER BY "by"`).toArray();
      expect(kept).toEqual([
        { by: "bob", n: 1 },
        { by: "mallory", n: expect.any(Number) },
      ]);
      expect(kept[1]?.n).toBeLessThanOrEqual(5100);
    }));

  it("is read as far as one answer carries", () =>
    trail((sql) => {
      const ledger = ledgerOn(sql);
      for (let count = 0; count < 10; count++) ledger.write({ ...line, by: "bob", asked: "x".repeat(2 ** 20) });
      expect(ledger.lines(null, 200).map(({ id }) => id)).toEqual([10, 9, 8, 7]);
      expect(ledger.lines("b", 200)).toEqual([]);
    }));
});
