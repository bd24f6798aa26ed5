/** Calls of operators to control, messages of the feed to gates, and reports that gates send. */

import { generateKeyPairSync, sign } from "node:crypto";
import fc from "fast-check";
import { addOverlayRoutes } from "../../../functions/control/api/overlays.ts";
import type { ControlPorts } from "../../../functions/control/api/ports.ts";
import { addProposalRoutes } from "../../../functions/control/api/proposals.ts";
import { addRevocationRoutes } from "../../../functions/control/api/revocations.ts";
import { adminApi } from "../../../functions/control/api/router.ts";
import { addWaveRoutes } from "../../../functions/control/api/waves.ts";
import type { ControlPlan } from "../../../functions/control/model/plan.ts";
import { changeOf, overlayBody } from "../../../functions/control/overlay/changes.ts";
import { frontReport, report, tailReport } from "../../../functions/control/telemetry/reports.ts";
import type { Plan } from "../../../functions/gateway/core/plan.ts";
import { live } from "../../../functions/gateway/live.ts";
import {
  applyOverlay,
  type FeedMessage,
  type OverlayEntry,
  type StoredFeed,
} from "../../../functions/gateway/overlay/overlay.ts";
import { link as linkPlan } from "../../../functions/gateway/server.ts";
import { compile } from "../../../infra/compiler/compile.ts";
import { removeProject, writeFiles as writtenProject } from "../../e2e/project.ts";
import { each } from "../announced-property.ts";
import { caller, checkAnswers, deps, parts } from "../link-plans.ts";
import { oddJson, oddNumber, oneOf } from "../pieces.ts";
import { manifest } from "../samples.ts";
import type { Target } from "../target.ts";

const hash = "a".repeat(64);
const text = oneOf(
  "",
  "a",
  "balance",
  "cut",
  "rates",
  "jwt",
  "rate-limit",
  "validate",
  "__proto__",
  "constructor",
  "é\u0000",
  "x".repeat(600),
);
const time = oneOf("1s", "10m", "999999h", "999999d", "0s", "1e308s", "-1s", "NaN", "7d", "169h");
const mixed = (...usual: unknown[]): fc.Arbitrary<unknown> =>
  fc.oneof(
    { weight: 4, arbitrary: oneOf(...usual) },
    { weight: 1, arbitrary: fc.oneof(oddJson, oddNumber, time, text) },
  );

/** Bodies as the API takes them, with one or two members that it does not. */
const body = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .record(
        {
          kind: mixed("close", "limit", "enforce", "cutover", "weights", "token", "consumer"),
          route: mixed("balance", "cut", "rates", null),
          filter: mixed("rate-limit", "validate", "jwt"),
          limit: mixed("10/s", "1/31d", "999999999/1ms", "1/0s"),
          percent: mixed("10%", "0%", "999%", "100%"),
          weights: mixed({ accounts: 1, other: 2 }, { accounts: 0, other: 0 }, { accounts: 1e308, other: 1 }),
          retryAfter: mixed("1h", "999999h"),
          detail: mixed("soon"),
          for: mixed("10m", "7d", "999999h"),
          reason: mixed("a test"),
          issuer: mixed("https://issuer.example"),
          hash: mixed(hash),
          before: mixed(1, 1e11, 1e12, 1e308, -1, 0),
          release: mixed(
            { steps: ["1%", "100%"] },
            { steps: ["1%", "100%"], bake: "999999h", tolerate: { errors: "+0.5pp" } },
          ),
          commit: mixed("a".repeat(40)),
          all: mixed(true),
          tiers: mixed(["t"], ["t", "t"], []),
          concurrent: mixed(1, 1e308),
          selection: mixed("--all"),
          fingerprint: mixed(hash),
        },
        { requiredKeys: [] },
      )
      .map((it) => JSON.stringify(it)),
  },
  { weight: 1, arbitrary: oddJson.map((it) => JSON.stringify(it) ?? "") },
  {
    weight: 1,
    arbitrary: oneOf(
      "",
      "{",
      "\u0000",
      `${"[".repeat(20_000)}`,
      `{"reason":${"[".repeat(20_000)}${"]".repeat(20_000)}}`,
      "\ufeff{}",
    ),
  },
);
const path = oneOf(
  ..."/v1/tiers /v1/tiers/t/rollout /v1/tiers/t/rollouts /v1/tiers/t%2Fcut/rollouts /v1/tiers/t/rollout/promote /v1/tiers/t/rollout/abort".split(
    " ",
  ),
  ..."/v1/tiers/t/overlay /v1/tiers/t/overlay/one /v1/tiers/t/revocations /v1/tiers/t/revocations/one /v1/tiers/t/label /v1/proposals".split(
    " ",
  ),
  ..."/v1/proposals/one /v1/audit /v1/audit?tier=t /v1/audit?tier=%00 /v1/tiers/t/cost /metrics?tier=t /v1/wave /v1/waves /v1/waves/check".split(
    " ",
  ),
  ..."/v1/wave/abort /v1/drift /v1/tiers/__proto__/overlay /v1/tiers/constructor/revocations /v1/tiers/%zz/overlay /v1/tiers/t%2F..%2F..%2Fa/rollout //v1/tiers".split(
    " ",
  ),
);
/** A member of an operator's token that is not as it should be. */
const odd = fc.option(
  fc.tuple(oneOf("exp", "iat", "nbf", "jti", "sub", "aud", "env", "kid", "alg"), fc.oneof(oddJson, oddNumber)),
  { freq: 4 },
);
const call = fc.record({
  method: oneOf("GET", "POST", "POST", "POST", "DELETE", "PUT", "HEAD"),
  path,
  body,
  type: oneOf(
    "application/json",
    "application/json",
    "application/json; charset=x",
    "text/plain",
    "multipart/form-data",
    "",
  ),
  ifMatch: fc.option(oneOf('"1"', "*", "é", '"1e308"', "x".repeat(5000)), { freq: 5 }),
  odd,
});

const now = Date.UTC(2026, 10, 1);
const { publicKey, privateKey } = generateKeyPairSync("ed25519");
const { x = "" } = publicKey.export({ format: "jwk" });

const base64 = (it: unknown): string => Buffer.from(JSON.stringify(it) ?? "").toString("base64url");
let calls = 0;
const tokenOf = ([name, value]: readonly [string, unknown] | readonly [] = []): string => {
  const seconds = now / 1000;
  const header = { alg: "EdDSA", kid: "alice" };
  const claims = {
    env: "local",
    sub: "alice",
    jti: `j${++calls}`,
    aud: "postern-control",
    iat: seconds,
    exp: seconds + 60,
  };
  const change = name === undefined ? {} : { [name]: value };
  const isHeader = name === "kid" || name === "alg";
  const text = `${base64({ ...header, ...(isHeader && change) })}.${base64({ ...claims, ...(!isHeader && change) })}`;
  return `${text}.${sign(null, Buffer.from(text), privateKey).toString("base64url")}`;
};

/** Ports that store the feed of gates, and know no rollout. */
const portsOf = (kept: { feed: StoredFeed }, faults: string[]): ControlPorts =>
  ({
    status: async () => null,
    measure: async () => ({}),
    history: async () => [],
    traffic: async () => null,
    planned: async (_: string, release: unknown) => release,
    candidates: async () => [],
    start: async () => ({ status: "running", why: "" }),
    command: async () => ({ status: "running", why: "" }),
    label: async () => "",
    cost: async () => [],
    metrics: async () => "",
    overlay: {
      read: async () => kept.feed,
      write: async (_: string, revision: number, entries: readonly OverlayEntry[], revoked?: StoredFeed["revoked"]) => {
        kept.feed = {
          revision: revision + 1,
          entries: entries.slice(-20),
          revoked: revoked?.slice(-20) ?? kept.feed.revoked ?? [],
        };
        return kept.feed;
      },
    },
    ledger: {
      spend: async () => "spent",
      write: async () => 1,
      settle: async () => {},
      lines: async () => [],
      propose: async () => {},
      proposals: async () => [],
      proposal: async () => null,
      take: async () => null,
    },
    waves: {
      status: async () => null,
      history: async () => [],
      check: async () => {},
      start: async () => ({}),
      ask: async () => ({}),
    },
    notify: async () => {},
    now: () => now,
    uuid: () => `id-${calls}-0000`,
    log: (line: object) => void faults.push(JSON.stringify(line)),
  }) as unknown as ControlPorts;

const projectPlan = (): { readonly plan: Plan; readonly close: () => void } => {
  const root = writtenProject({
    "routes/environments/local.yaml": "values: { x: http://service.example }\n",
    "routes/t.yaml": manifest,
  });
  const { tiers, problems } = compile(root, "local");
  const [served] = tiers[0]?.serves ?? [];
  if (!served) throw new Error(`the sample does not hold: ${JSON.stringify(problems)}`);
  return { plan: served.plan, close: () => removeProject(root) };
};

const factsOf = ({ filters, routes }: Plan) => ({
  level: "standard",
  labels: {},
  owner: null,
  host: "localhost",
  base: "/t",
  workers: ["gate-t"],
  issuers: ["https://issuer.example"],
  filters: Object.fromEntries(
    Object.entries(filters).map(([id, it]) => [id, { ...it, limit: (it.with as { limit?: string }).limit }]),
  ),
  routes: Object.fromEntries(
    Object.entries(routes).map(([name, it]) => [
      name,
      {
        filters: it.filters,
        path: "/",
        cutover: it.cutover,
        ...(name === "rates" && {
          weights: [
            ["accounts", 90],
            ["other", 10],
          ],
        }),
      },
    ]),
  ),
  limits: { body: "64KiB", concurrency: 100 },
  release: { steps: ["1%", "100%"] },
});

const admin: Target = {
  name: "admin",
  about: "calls of the admin API; whatever it lays over a tier, the tier's gate serves on",
  needs: "nothing",
  open: async () => {
    const { plan, close } = projectPlan();
    const operators = { alice: { key: x, role: "admin" } };
    const control = { environment: "local", operators, tiers: { t: factsOf(plan) } } as unknown as ControlPlan;
    const kept = { feed: { revision: 1, entries: [], revoked: [] } as StoredFeed };
    const faults: string[] = [];
    const ports = portsOf(kept, faults);
    const app = adminApi(control, ports);
    for (const add of [addProposalRoutes, addOverlayRoutes, addRevocationRoutes, addWaveRoutes])
      add(app, control, ports);
    return {
      property: each(call, async ({ method, path, body, type, ifMatch, odd }) => {
        faults.length = 0;
        const headers = new Headers({ authorization: `Bearer ${tokenOf(odd ?? [])}`, "content-type": type });
        if (ifMatch) headers.set("if-match", Buffer.from(ifMatch).toString("latin1"));
        const bodiless = method === "GET" || method === "HEAD";
        const response = await app.request(
          new Request(`https://control.example${path}`, { method, headers, body: bodiless ? null : body }),
        );
        if (response.status >= 500) throw new Error(`a caller made a ${response.status}: ${faults}`);
        const feed: FeedMessage = JSON.parse(JSON.stringify(kept.feed));
        for (const it of [...feed.entries, ...(feed.revoked ?? [])])
          if (!(Number.isFinite(it.until) && it.until > now && it.until <= now + 31 * 86_400_000))
            throw new Error(`an entry has no end: ${JSON.stringify(it)}`);
        await checkAnswers(linkPlan(applyOverlay(plan, feed.entries), parts, deps()), plan);
      }),
      close: async () => close(),
    };
  },
};

const entry = fc.record(
  {
    kind: mixed("close", "limit", "enforce", "cutover", "weights", "drain", "measure"),
    id: mixed("one"),
    until: mixed(now + 1000, 1e308, -1, null),
    by: mixed("alice"),
    reason: mixed("a test"),
    route: mixed("balance", "cut", "rates", null),
    filter: mixed("rate-limit", "validate"),
    limit: mixed("10/s"),
    percent: mixed("10%"),
    weights: mixed({ accounts: 1, other: 2 }),
    closed: mixed({}, { "retry-after": "1h", detail: "soon" }),
    versions: mixed(["v1"], []),
    ends: mixed(now, 1e308),
    hash: mixed(hash),
    before: mixed(1, 1e308, -1),
  },
  { requiredKeys: [] },
);
const copy = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record(
      {
        revision: mixed(1),
        entries: fc.array(entry, { maxLength: 4 }) as fc.Arbitrary<unknown>,
        revoked: fc.array(entry, { maxLength: 4 }) as fc.Arbitrary<unknown>,
      },
      { requiredKeys: [] },
    ),
  },
  { weight: 1, arbitrary: oddJson },
);

const feed: Target = {
  name: "feed",
  about: "messages to a gate from outside its isolate: it serves on, with what it had",
  needs: "nothing",
  open: async () => {
    const { plan, close } = projectPlan();
    return {
      property: each(copy, async (it) => {
        const text = JSON.stringify(it) ?? "null";
        const source = { read: async () => JSON.parse(text), copy: async () => null, defer: () => {} };
        const serve = live(plan, parts, deps(), source);
        for (let time = 0; time < 2; time++) {
          const response = await serve(new Request("https://localhost/t/nothing"), caller);
          if (response.status === 500) throw new Error(`the gate answers 500: ${await response.text()}`);
        }
      }),
      close: async () => close(),
    };
  },
};

const reports: Target = {
  name: "reports",
  about: "what gates, fronts and the tail report: read or refused",
  needs: "nothing",
  open: async () => ({
    property: each(
      fc.oneof(
        oddJson,
        fc.dictionary(
          oneOf(
            "tier",
            "version",
            "sample",
            "series",
            "marks",
            "streams",
            "lost",
            "counts",
            "deaths",
            "cpu",
            "faults",
            "spans",
          ),
          fc.oneof(oddJson, fc.array(oddJson, { maxLength: 3 })),
        ),
      ),
      (it) => {
        for (const schema of [report, tailReport, frontReport]) schema.safeParse(it);
        const change = overlayBody.safeParse(it);
        if (change.success) changeOf(change.data);
      },
    ),
  }),
};

export const controlTargets: readonly Target[] = [admin, feed, reports];
