/** Write tokens, proposals and the audit log, over a ledger in the runtime. */

import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { describe, expect, it } from "vitest";
import { controlAudience } from "../../../functions/control/api/operators.ts";
import type { ControlPorts, StartRequest } from "../../../functions/control/api/ports.ts";
import { addProposalRoutes } from "../../../functions/control/api/proposals.ts";
import { adminApi } from "../../../functions/control/api/router.ts";
import { openLedger } from "../../../functions/control/audit/ledger.ts";
import type { ProposalView } from "../../../functions/control/audit/record.ts";
import { versionMismatch } from "../../../functions/control/model/approval.ts";
import type { ControlPlan, Operator, TierFacts } from "../../../functions/control/model/plan.ts";
import { Refusal } from "../../../functions/control/model/refusal.ts";

const keyPair = async () => {
  const { publicKey, privateKey } = await generateKeyPair("EdDSA");
  return { key: privateKey, x: (await exportJWK(publicKey)).x as string };
};
const [a, b, c] = await Promise.all([keyPair(), keyPair(), keyPair()]);

const controlApi = <T>(work: (api: ReturnType<typeof controlApiOver>) => Promise<T>): Promise<T> => {
  const { COUNTERS } = env as unknown as { readonly COUNTERS: DurableObjectNamespace };
  const object = COUNTERS.getByName(crypto.randomUUID());
  return runInDurableObject(object, (_, { storage }) => work(controlApiOver(storage.sql))) as Promise<T>;
};

/** Control over a ledger in the runtime. A new deployment changes the operators. */
const controlApiOver = (sql: SqlStorage) => {
  let now = Date.UTC(2026, 10, 1);
  let count = 0;
  const done: string[] = [];
  const ledger = openLedger(sql);
  /** What would be released now. */
  const scenario = { canary: "v1" };
  const ports = {
    status: async () => null,
    candidates: async () => [{ worker: "gate", stable: "v0", canary: scenario.canary, tag: "d1", message: null }],
    planned: async (_: string, it: object) => it,
    start: async (tier: string, _: unknown, { by, approved }: StartRequest) => {
      const mismatch = approved && versionMismatch(approved, await ports.candidates("", {} as TierFacts));
      if (mismatch) throw new Refusal(mismatch);
      done.push(`${by}: start ${tier}`);
      return { status: "running", why: "" };
    },
    ledger: Object.fromEntries(
      Object.entries(ledger).map(([name, call]) => [
        name,
        async (...input: never[]) => (call as (...all: never[]) => unknown)(...input),
      ]),
    ),
    notify: async () => {},
    now: () => now,
    uuid: () => `p${++count}-0000`,
    log: () => {},
  } as unknown as ControlPorts;
  const operators: Record<string, Operator> = {
    alice: { key: a.x, role: "operator" },
    bob: { key: b.x, role: "admin" },
  };
  const tier = (level: string) => ({ level, workers: ["gate"], routes: {}, filters: {}, release: {} });
  const plan = { environment: "test", operators, tiers: { core: tier("core"), calm: tier("standard") } };
  const app = adminApi(plan as unknown as ControlPlan, ports);
  addProposalRoutes(app, plan as unknown as ControlPlan, ports);
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
  const send = async (token: string, path: string, method = "POST", input: object = { reason: "a test" }) => {
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    const body = method === "POST" ? JSON.stringify(input) : null;
    const response = await app.request(path, { method, headers, body });
    return {
      status: response.status,
      answer: JSON.parse((await response.text()) || "{}") as { detail?: string; proposal?: ProposalView },
    };
  };
  const propose = async () => {
    const { answer } = await send(await tokenOf("alice", a.key, "p"), "/v1/tiers/core/rollouts");
    const { id, fingerprint } = answer.proposal as ProposalView;
    return (token: string, input: object = { fingerprint }) => send(token, `/v1/proposals/${id}`, "POST", input);
  };
  return {
    scenario,
    operators,
    done,
    sql,
    tokenOf,
    send,
    propose,
    advance: (ms: number) => (now += ms),
    now: () => now,
  };
};

const start = "/v1/tiers/calm/rollouts";

/** Records used tokens of an operator. */
const fill = (sql: SqlStorage, by: string, count: number, until: number): void => {
  const numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)";
  sql.exec(`${numbers} INSERT INTO spent SELECT ?, 'x' || i, ? FROM n`, count, by, until);
};

describe("an operator's token", () => {
  it("can write once, and read any number of times", () =>
    controlApi(async ({ send, tokenOf, done }) => {
      const token = await tokenOf("alice", a.key, "1");
      expect((await send(token, start)).status).toBe(200);
      expect(await send(token, start)).toMatchObject({
        status: 401,
        answer: { detail: expect.stringContaining("already been used") },
      });
      expect((await send(token, "/v1/tiers", "GET")).status).toBe(200);
      expect(done).toHaveLength(1);
      expect((await send(await tokenOf("bob", b.key, "1"), start)).status).toBe(200);
    }));

  it("without a valid `jti` cannot write", () =>
    controlApi(async ({ send, tokenOf, done }) => {
      for (const jti of [undefined, "", "x".repeat(101)]) {
        const token = await tokenOf("alice", a.key, jti);
        expect(await send(token, start)).toMatchObject({
          status: 401,
          answer: { detail: expect.stringContaining("jti") },
        });
        expect((await send(token, "/v1/tiers", "GET")).status).toBe(200);
      }
      expect(done).toEqual([]);
    }));

  it("is stored as used until it has expired, also with clock skew", () =>
    controlApi(async ({ send, tokenOf, sql, advance: pass, done }) => {
      const token = await tokenOf("alice", a.key, "1");
      await send(token, start);
      pass(64_000);
      expect((await send(token, start)).status).toBe(401);
      pass(1_000);
      expect((await send(token, start)).answer.detail).toContain("Bearer");
      await send(await tokenOf("alice", a.key, "2"), start);
      expect(sql.exec(`SELECT "by", id FROM spent`).toArray()).toEqual([{ by: "alice", id: "2" }]);
      expect(done).toHaveLength(2);
    }));

  it("beyond its operator's quota blocks no other operator, and no call that stops something", () =>
    controlApi(async ({ send, tokenOf, sql, now, advance: pass, done }) => {
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

  it("is not stored for longer than a token can live, whatever its expiry claims", () =>
    controlApi(async ({ send, tokenOf, sql, now }) => {
      fill(sql, "alice", 1200, now() + 31_536_000_000);
      expect((await send(await tokenOf("alice", a.key, "1"), start)).status).toBe(200);
    }));

  it("that an earlier release stored as used cannot write again", async () => {
    const { COUNTERS } = env as unknown as { readonly COUNTERS: DurableObjectNamespace };
    await runInDurableObject(COUNTERS.getByName(crypto.randomUUID()), (_, { storage: { sql } }) => {
      sql.exec("CREATE TABLE tokens (token TEXT PRIMARY KEY, until INTEGER NOT NULL) WITHOUT ROWID");
      sql.exec("INSERT INTO tokens VALUES ('alice 1', 60000)");
      const { spend } = openLedger(sql);
      const token = { by: "alice", id: "1", until: 60_000, stops: false };
      expect([spend(token, 0), spend({ ...token, id: "2" }, 0)]).toEqual(["replayed", "spent"]);
      expect(openLedger(sql).spend(token, 0)).toBe("replayed");
    });
  });
});

describe("proposals that wait for a second person", () => {
  it("is run once, when another operator approves it", () =>
    controlApi(async ({ tokenOf, propose, done }) => {
      const approve = await propose();
      expect((await approve(await tokenOf("bob", b.key, "1"))).status).toBe(200);
      expect((await approve(await tokenOf("bob", b.key, "2"))).status).toBe(404);
      expect(done).toEqual(["alice and bob: start core"]);
    }));

  it.each<[string, Record<string, Operator>]>([
    ["is no operator any more", {}],
    ["only reads now", { alice: { key: a.x, role: "viewer" } }],
    ["has another key now", { alice: { key: c.x, role: "operator" } }],
  ])("is refused if the proposer %s", (_, left) =>
    controlApi(async ({ tokenOf, propose, done, operators }) => {
      const approve = await propose();
      delete operators.alice;
      Object.assign(operators, left);
      expect(await approve(await tokenOf("bob", b.key, "1"))).toMatchObject({
        status: 403,
        answer: { detail: expect.stringContaining("no longer allowed") },
      });
      expect(done).toEqual([]);
    }),
  );

  it("is not approved under a second name with the same key", () =>
    controlApi(async ({ tokenOf, propose, done, operators }) => {
      const approve = await propose();
      operators.alicia = { key: a.x, role: "admin" };
      expect(await approve(await tokenOf("alicia", a.key, "1"))).toMatchObject({
        status: 403,
        answer: { detail: expect.stringContaining("a second person") },
      });
      expect(done).toEqual([]);
    }));

  it("is refused and removed if other versions would be released now", () =>
    controlApi(async ({ tokenOf, propose, done, scenario }) => {
      const approve = await propose();
      scenario.canary = "v2";
      expect(await approve(await tokenOf("bob", b.key, "1"))).toMatchObject({
        status: 409,
        answer: { detail: expect.stringContaining("gate has version v2") },
      });
      scenario.canary = "v1";
      expect((await approve(await tokenOf("bob", b.key, "2"))).status).toBe(404);
      expect(done).toEqual([]);
    }));

  it.each<[string, object, number]>([
    ["names nothing", {}, 400],
    ["names something else", { fingerprint: "0".repeat(64) }, 409],
  ])("is refused for an approver who %s, and keeps waiting", (_, change, status) =>
    controlApi(async ({ tokenOf, propose, done }) => {
      const approve = await propose();
      expect((await approve(await tokenOf("bob", b.key, "1"), change)).status).toBe(status);
      expect(done).toEqual([]);
      expect((await approve(await tokenOf("bob", b.key, "2"))).status).toBe(200);
    }),
  );

  it("uses its proposer's quota, and no other's", () =>
    controlApi(async ({ tokenOf, propose, done, send, sql, now }) => {
      const numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100)";
      const fields = `'x' || i, ?, 'alice', '', 'core', 'start', '{"bound":{"versions":[]}}'`;
      sql.exec(`${numbers} INSERT INTO waiting SELECT ${fields} FROM n`, now() + 60_000);
      const start = "/v1/tiers/core/rollouts";
      expect(await send(await tokenOf("alice", a.key, "1"), start)).toMatchObject({
        status: 409,
        answer: { detail: expect.stringContaining("too many proposals of alice") },
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
      expect((await (await propose())(await tokenOf("bob", b.key, "2"))).status).toBe(200);
      expect(done).toEqual(["alice and bob: start core"]);
    }));

  it("expires after an hour", () =>
    controlApi(async ({ tokenOf, propose, done, advance: pass }) => {
      const approve = await propose();
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
  ])("is refused if another release wrote it and it %s", (_, what, body) =>
    controlApi(async ({ tokenOf, propose, done, sql, send }) => {
      await propose();
      sql.exec("UPDATE waiting SET what = ?, body = ?", what, body);
      const { answer } = await send(await tokenOf("bob", b.key, "1"), "/v1/proposals", "GET");
      const [{ id, fingerprint }] = answer as unknown as [ProposalView];
      const old = await send(await tokenOf("bob", b.key, "2"), `/v1/proposals/${id}`, "POST", { fingerprint });
      expect(old).toMatchObject({ status: 409, answer: { detail: expect.stringContaining("propose it again") } });
      expect(done).toEqual([]);
    }),
  );
});

describe("the audit trail", () => {
  const entry = { at: 0, what: "start", tier: "a", reason: "", before: "", asked: "" };
  const withSql = async (work: (sql: SqlStorage) => void): Promise<void> => {
    const { COUNTERS } = env as unknown as { readonly COUNTERS: DurableObjectNamespace };
    await runInDurableObject(COUNTERS.getByName(crypto.randomUUID()), (_, { storage }) => work(storage.sql));
  };

  it("keeps others' entries when one operator writes without end", () =>
    withSql((sql) => {
      const ledger = openLedger(sql);
      ledger.write({ ...entry, by: "bob" });
      const numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)";
      const fields = "NULL, 0, 'mallory', 'start', 'a', '', '', '', ''";
      sql.exec(`${numbers} INSERT INTO lines SELECT ${fields} FROM n`);
      for (let count = 0; count < 100; count++) ledger.write({ ...entry, by: "mallory" });
      const stored = sql.exec(`SELECT "by", COUNT(*) AS n FROM lines GROUP BY "by" ORDER BY "by"`).toArray();
      expect(stored).toEqual([
        { by: "bob", n: 1 },
        { by: "mallory", n: expect.any(Number) },
      ]);
      expect(stored[1]?.n).toBeLessThanOrEqual(5100);
    }));

  it("is read up to the size of one answer", () =>
    withSql((sql) => {
      const ledger = openLedger(sql);
      for (let count = 0; count < 10; count++) ledger.write({ ...entry, by: "bob", asked: "x".repeat(2 ** 20) });
      expect(ledger.lines(null, 200).map(({ id }) => id)).toEqual([10, 9, 8, 7]);
      expect(ledger.lines("b", 200)).toEqual([]);
      expect(ledger.lines(null, 2, 10).map(({ id }) => id)).toEqual([9, 8]);
    }));
});
