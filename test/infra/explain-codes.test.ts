/** `explain` names the right line for each code that the gate or an upstream can answer with. A new code needs a case here; codes of filters have examples in their specs. */
import fs from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { gatewayCodes, upstreamCodes } from "../../functions/gateway/core/problems.ts";
import type { Decision } from "../../functions/gateway/core/types.ts";
import { explain } from "../../infra/commands/authoring/explain.ts";
import { test } from "../../infra/commands/review/test.ts";
import { compile } from "../../infra/compiler/compile.ts";
import { ensureExplainKey } from "../../infra/explain/keys.ts";
import { findSource } from "../../infra/explain/source-of.ts";
import { registry } from "../../infra/project/registry.ts";
import { type Files, runProject, runService, writeProject } from "../e2e/project.ts";
import { bank } from "../fixtures/bank.ts";
import { until } from "../until.ts";

interface Case {
  /** Beneath tier, hosts and base; the line that has to be named ends in `#!`. */
  readonly yaml: string;
  /** By default `GET /a`. */
  readonly send?: string;
  readonly host?: string;
  readonly header?: () => Promise<readonly string[]>;
  readonly data?: string;
  /** At a running gate, after this; otherwise here, with no network. */
  readonly gate?: (ask: () => Promise<unknown>) => Promise<unknown>;
  /** In the runtime of cases, where stores go down and clients break off: a step, which does not expect what comes of it. */
  readonly tried?: string;
  /** What a gate tells of it, where no request of a test brings it about. */
  readonly decisions?: readonly Omit<Decision, "ms">[];
}

const filters = (lines: string, route = "match: GET /a") =>
  `filters:\n${lines}upstreams: { it: { http: "SERVICE" } }\nroutes:\n  one: { ${route}, to: it }\n`;
const withoutFilters = (route: string) =>
  `upstreams: { it: { http: "SERVICE" } }\nroutes:\n  one:\n${route}    to: it\n`;
/** How many requests the slow service has had. */
let startedRequests = 0;
/** Another request is at the service then, which takes its time. */
const busyGate: Case["gate"] = async (ask) => {
  const before = startedRequests;
  // It may outlast the test, which ends the gate.
  ask().catch(() => {});
  await until(() => startedRequests > before, "the service has a request");
};

const cases: Readonly<Record<string, Case>> = {
  "gateway host-malformed": {
    yaml: "hosts: [localhost] #!\nroutes: { one: { match: GET /a, respond: {} } }\n",
    decisions: [],
  },
  "gateway host-unknown": {
    yaml: "hosts: [localhost] #!\nroutes: { one: { match: GET /a, respond: {} } }\n",
    host: "elsewhere.example",
  },
  "gateway route-unknown": {
    yaml: withoutFilters("    match: GET /accounts/{id:[0-9]+} #!\n"),
    send: "GET /acounts/7",
  },
  "gateway method-not-allowed": { yaml: withoutFilters("    summary: s\n    match: GET,PUT /a #!\n"), send: "POST /a" },
  "gateway path-ambiguous": { yaml: withoutFilters("    match: GET /a/b #!\n"), send: "GET /a%2fb" },
  "gateway condition-unmet": {
    yaml: withoutFilters(
      "    match: GET /a\n    when:\n      query: { x: present }\n      header:\n        x-tea: green #!\n",
    ),
    send: "GET /a?x=1",
  },
  "gateway reference-malformed": { yaml: withoutFilters("    match: GET /a\n    path: /b/{header.x-id} #!\n") },
  "gateway upgrade-not-allowed": {
    yaml: withoutFilters("    match: GET /a #!\n"),
    header: async () => ["upgrade: websocket"],
  },
  "gateway route-closed": { yaml: withoutFilters("    match: GET /a\n    closed: true #!\n") },
  "gateway gate-busy": {
    yaml: `limits:\n  body: 1MiB\n  concurrency: 1 #!\n${withoutFilters("    match: GET /a\n")}`,
    gate: busyGate,
  },
  "gateway client-busy": {
    yaml: `limits:\n  concurrency: 4\n  client-share: 25% #!\n${withoutFilters("    match: GET /a\n")}`,
    gate: busyGate,
  },
  "gateway tier-not-deployed": {
    yaml: "TIER #!\nroutes: { one: { match: GET /a, respond: {} } }\n",
    gate: async () => {},
  },
  "gateway gate-unavailable": {
    yaml: "TIER #!\nroutes: { one: { match: GET /a, respond: {} } }\n",
    gate: async () => {},
  },
  "gateway internal": {
    yaml: filters("  - cors: { origins: ['*'] }\n  - headers: {} #!\n"),
    decisions: [{ id: "headers", verdict: "failed", code: "internal" }],
  },
  "upstream body-too-large": {
    yaml: `limits:\n  body: 8B #!\n${withoutFilters("    match: POST /a\n")}`,
    send: "POST /a",
    data: "more than eight bytes",
  },
  "upstream body-unexpected": {
    yaml: withoutFilters("    match: GET /a #!\n"),
    decisions: [{ id: "to:it", verdict: "asked" }],
  },
  "upstream body-incomplete": {
    yaml: withoutFilters("    match: POST /a #!\n"),
    tried: "send: { request: POST BASE/a, text: abc, stream: broken }",
  },
  "upstream body-late": {
    yaml: withoutFilters("    match: POST /a #!\n"),
    tried: "send: { request: POST BASE/a, text: abc, stream: stalled }",
  },
  "upstream upstream-timeout": {
    yaml: 'upstreams:\n  other: { http: "SERVICE", timeout: 9s }\n  it:\n    http: "SERVICE"\n    timeout: 100ms #!\nroutes:\n  one: { match: GET /a, to: [{ other: 0 }, { it: 1 }] }\n',
    gate: async () => {},
  },
  "upstream upstream-invalid": {
    yaml: 'upstreams:\n  it:\n    timeout: 2s\n    http: "SERVICE" #!\nroutes: { one: { match: GET /a, to: it } }\n',
    gate: async () => {},
  },
  "upstream upstream-unreachable": {
    yaml: 'upstreams:\n  it:\n    timeout: 2s\n    http: "http://localhost:9" #!\nroutes: { one: { match: GET /a, to: it } }\n',
    gate: async () => {},
  },
};

const tierOf = (name: string) => name.replace(" ", "-");

/** One tier for each case, of those that need a running gate, or of the others. */
const filesWith = (atGates: boolean, serviceUrl: string, key = ""): Files => ({
  "routes/environments/local.yaml": `values: {}\n${key}`,
  ...Object.fromEntries(
    casesFor(atGates).flatMap(([name, { yaml, tried }]) => {
      const tier = tierOf(name);
      const head = [
        "api: postern/v1",
        ...(yaml.startsWith("TIER") ? [] : [`tier: ${tier}`]),
        ...(yaml.startsWith("hosts:") ? [] : ["hosts: [localhost]"]),
        `base: /${tier}`,
      ];
      const body = yaml.replaceAll("SERVICE", serviceUrl).replace("TIER", `tier: ${tier}`);
      const step = tried?.replace("BASE", `/${tier}`);
      return [
        [`routes/${tier}.yaml`, `${head.join("\n")}\n${body}`],
        ...(step ? [[`routes/${tier}.test.yaml`, `- { it: ${tier}, ${step}, expect: { status: 599 } }\n`]] : []),
      ];
    }),
  ),
});

const casesFor = (atGates: boolean) => Object.entries(cases).filter(([, { gate }]) => (gate !== undefined) === atGates);

let front = "";
const roots = { gate: "", here: "" };
const rootOf = (name: string): string => roots[cases[name]?.gate ? "gate" : "here"];

/** Gates behind one front, with a service that takes its time. */
const startGates = async (): Promise<void> => {
  const slow = await runService((request, response) => {
    startedRequests++;
    if (request.url?.startsWith("/upstream-upstream-invalid/")) response.writeHead(600).end();
    else setTimeout(() => response.end(request.url), 1500);
  });
  const keys = writeProject({});
  const files = filesWith(true, slow.url, `explain: { key: "${ensureExplainKey(keys, "local")}" }\n`);
  const it = await runProject(files, {
    onEmitted: (folder) => {
      const gate = (tier: string, script: string) =>
        fs.writeFileSync(path.join(folder, "gates", tier, "gate.js"), script);
      gate("gateway-tier-not-deployed", "throw new Error('at start');");
      gate(
        "gateway-gate-unavailable",
        'import { WorkerEntrypoint } from "cloudflare:workers";\nexport class Behind extends WorkerEntrypoint { fetch() { throw new Error("at each request"); } }\nexport default {};\n',
      );
    },
  });
  fs.cpSync(path.join(keys, ".secrets"), path.join(it.root, ".secrets"), { recursive: true });
  front = it.url;
  roots.gate = it.root;
  roots.here = writeProject(filesWith(false, slow.url));
};

const urlOf = (name: string, target: string) => {
  const { host = "localhost", gate } = cases[name] as Case;
  return `${gate ? front : `http://${host}`}/${tierOf(name)}${target}`;
};

interface Answer {
  readonly code: string;
  readonly because: { readonly at: string } | null;
  readonly misses: readonly { readonly failed: readonly { readonly at: string }[] }[];
  readonly steps: readonly { readonly verdict: string; readonly at: string; readonly explainWhyNot: string }[];
}

const explainRemotely = async (name: string): Promise<Answer> => {
  const { send = "GET /a", header, data, gate } = cases[name] as Case;
  const [method = "", target = ""] = send.split(" ");
  const url = urlOf(name, target);
  const lines = (await header?.()) ?? [];
  const headers = Object.fromEntries(lines.map((it) => [it.slice(0, it.indexOf(":")), it.slice(it.indexOf(":") + 2)]));
  await gate?.(() => fetch(url, { method, headers }));
  const explainOptions = {
    root: rootOf(name),
    env: "local",
    ip: "192.0.2.1",
    header: lines,
    data,
    ...(gate && { at: front }),
  };
  return (await explain(method, url, explainOptions)).data as Answer;
};

const explainLocally = (name: string): Answer => {
  const [, code = ""] = name.split(" ");
  const { tiers } = compile(rootOf(name), "local");
  const tier = tiers.find(({ checked }) => checked.manifest.tier === tierOf(name))?.checked;
  const decisions = cases[name]?.decisions?.map((it) => ({ ...it, ms: 1 })) ?? [];
  const because = (tier && findSource(code, tier, tier.routes[0], decisions)) ?? null;
  return { code, because, misses: [], steps: [] };
};

/** What the gates of cases decided, by tier. */
const explainAll = async (): Promise<ReadonlyMap<string, GateDecision>> => {
  const tiers = Object.entries(cases).flatMap(([name, { tried }]) => (tried ? [tierOf(name)] : []));
  const { data } = await test(tiers, { root: roots.here, env: "local" });
  const all = (
    data as { readonly tiers: readonly { tier: string; failures: readonly { answers: readonly GateDecision[] }[] }[] }
  ).tiers;
  return new Map(
    all.flatMap(({ tier, failures }) => failures[0]?.answers.slice(0, 1).map((it) => [tier, it] as const) ?? []),
  );
};

interface GateDecision {
  readonly code: string | null;
  readonly route: string;
  readonly decisions: readonly Decision[];
}

const runTestCases = (name: string, answers: ReadonlyMap<string, GateDecision>): Answer => {
  const { code, route: found, decisions } = answers.get(tierOf(name)) ?? { code: "none", route: "", decisions: [] };
  const { tiers } = compile(rootOf(name), "local");
  const tier = tiers.find(({ checked }) => checked.manifest.tier === tierOf(name))?.checked;
  const route = tier?.routes.find((it) => it.name === found);
  const because = (tier && code && findSource(code, tier, route, decisions)) || null;
  return { code: code ?? "none", because, misses: [], steps: [] };
};

const all = [
  ...Object.keys(gatewayCodes).map((code) => `gateway ${code}`),
  ...Object.keys(upstreamCodes).map((code) => `upstream ${code}`),
];

it("there is a case for every code that can be answered, and for no other", () => {
  expect(Object.keys(cases).sort()).toEqual(all.sort());
  const upstreams = Object.values(registry.upstreams).flatMap(({ codes }) => Object.keys(codes));
  expect(upstreams.filter((code) => !Object.hasOwn(upstreamCodes, code))).toEqual([]);
});

it("each code is caused by the line that explain names", async () => {
  await startGates();
  const answers = await explainAll();
  for (const [name, { decisions, tried }] of Object.entries(cases)) {
    const it = tried ? runTestCases(name, answers) : decisions ? explainLocally(name) : await explainRemotely(name);
    const at = it.because?.at ?? it.misses[0]?.failed[0]?.at ?? "none";
    const [file = "", line = "0"] = at.split(":");
    const text = file.startsWith("routes/") ? fs.readFileSync(path.join(rootOf(name), file), "utf8").split("\n") : [];
    const found = [name, it.code, at, text[Number(line) - 1]];
    expect.soft(found).toEqual([name, name.split(" ")[1], at, expect.stringMatching(/#!$/)]);
    const step = it.steps.find(({ verdict }) => verdict.includes(`: ${it.code}`) || verdict.includes(`(${it.code})`));
    if (step) expect.soft([name, step.at, step.explainWhyNot === ""]).toEqual([name, at, false]);
  }
});

const explainOptions = { root: bank, env: "local", ip: "192.0.2.1" };
const explainWhyNot = async (line: string, whyNot?: string) => {
  const [method, url] = line.split(" ");
  const { text, data } = await explain(method, url, { ...explainOptions, whyNot });
  const { misses } = data as {
    misses: readonly { route: string; failed: readonly { condition: string; says: string }[] }[];
  };
  return {
    text,
    misses: misses.map(({ route, failed }) => [route, ...failed.map((it) => `${it.condition}: ${it.says}`)]),
  };
};

describe("why not this route", () => {
  it.each([
    [
      "GET http://localhost/wallet/v1/acounts/7/balance",
      ["wallet/balance", 'path: segment 3 is "acounts", not accounts'],
    ],
    [
      "GET http://localhost/wallet/v1/accounts/7x/balance",
      ["wallet/balance", 'path: segment 4 is "7x", which does not fit {id:[0-9]+}'],
    ],
    ["GET http://localhost/open/v1/quotes", ["open/quote", "path: the path ends ahead of /{currency:[A-Z]{3}}"]],
    [
      "GET http://localhost/pay/v1/payments/7/refund",
      ["pay/refund", 'path: segment 5 is "refund", not refunds', "method: it takes POST, not GET"],
    ],
    ["PATCH http://localhost/wallet/v1/transfers", ["wallet/transfer", "method: it takes POST, not PATCH"]],
    ["GET http://loclhost/open/v1/rates/USD", ["open/rates", "host: it is served on localhost, not on loclhost"]],
  ])("%s: the nearest miss, and what failed", async (line, nearest) => {
    expect((await explainWhyNot(line)).misses[0]).toEqual(nearest);
  });
  it("a request like none of them has no miss that anybody wants to read", async () => {
    expect((await explainWhyNot("GET http://localhost/")).misses).toEqual([]);
  });
  it("explains a given route, even if another one matches", async () => {
    const { misses, text } = await explainWhyNot("GET http://localhost/open/v1/rates/USD", "open/quote");
    expect(misses).toEqual([["open/quote", 'path: segment 3 is "rates", not quotes']]);
    expect(text).toMatch(/^ {2}path {2}segment 3 is "rates", not quotes {2}routes\/open\.yaml:\d+$/m);
    await expect(explainWhyNot("GET http://localhost/open/v1/rates/USD", "open/rates")).rejects.toThrow(
      "matches this request",
    );
    await expect(explainWhyNot("GET http://localhost/open/v1/rates/USD", "open/qote")).rejects.toThrow(
      'did you mean "open/quote"?',
    );
  });
  it("and where it fulfils all, that a more specific route takes it", async () => {
    const root = writeProject({
      "routes/t.yaml":
        "api: postern/v1\ntier: t\nhosts: [localhost]\nroutes:\n  any: { match: 'GET /{id}', respond: {} }\n  one: { match: GET /one, respond: {} }\n",
    });
    const { text } = await explain("GET", "http://localhost/one", { ...explainOptions, root, whyNot: "t/any" });
    expect(text).toContain("not t/any: a more specific route takes it  routes/t.yaml:5");
  });
});
