import fs from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { explain } from "../../infra/commands/authoring/explain.ts";
import { ensureExplainKey } from "../../infra/explain/keys.ts";
import { postern } from "../command-line.ts";
import { manifest, runProject, runService, writeProject } from "../e2e/project.ts";
import { bank } from "../fixtures/bank.ts";

const options = { root: bank, env: "local", ip: "192.0.2.1" };

interface Data {
  readonly tier: string | null;
  readonly route: string | null;
  readonly status: number;
  readonly code: string | null;
  readonly steps: readonly { readonly filter: string; readonly verdict: string; readonly at: string }[];
  readonly upstream: { readonly url: string; readonly headers: Record<string, string> } | null;
  readonly copies: readonly { filter: string; method: string; url: string; headers: Record<string, string> }[];
  readonly unknown: readonly string[];
}

const explainLine = async (line: string, more = {}) => {
  const [method, url] = line.split(" ");
  const { text, data } = await explain(method, url, { ...options, ...more });
  return { text, ...(data as Data) };
};

const lineOf = (at: string): string => {
  const [file = "", line = "1"] = at.split(":");
  return fs.readFileSync(path.join(bank, file), "utf8").split("\n")[Number(line) - 1] ?? "";
};

describe("offline, over the example manifests", () => {
  it("says which filter refuses, on which line, and which are not reached", async () => {
    const { tier, route, status, code, steps } = await explainLine("GET http://localhost/wallet/v1/accounts/7/balance");
    expect([tier, route, status, code]).toEqual(["wallet", "balance", 401, "token-missing"]);
    const verdicts = Object.fromEntries(steps.map(({ filter, verdict }) => [filter, verdict]));
    expect(verdicts).toMatchObject({ cors: "passed", jwt: "refused: token-missing", headers: "not reached" });
    const jwt = steps.find(({ filter }) => filter === "jwt");
    expect(lineOf(jwt?.at ?? "")).toContain("jwt:");
    expect(lineOf(steps[0]?.at ?? "")).toContain("cors:");
  });

  it("shows no token: not in the URL, not in the requests to the service and a mirror", async () => {
    const root = writeProject({
      "routes/t.yaml": manifest(
        "t",
        'filters: [{ mirror: "https://next.example" }]\nupstreams: { it: { http: "https://it.example" } }\nroutes: { one: { match: GET /one, to: it } }\n',
      ),
    });
    const token = `${btoa('{"alg":"RS256"}')}.${btoa('{"sub":"a"}')}.c2ln`;
    const header = [`authorization: Bearer ${token}`, `cookie: a=b; session=${token}`];
    const { text, ...data } = await explainLine(`GET http://localhost/t/one?access_token=${token}&a=1`, {
      root,
      header,
    });
    expect(`${text}${JSON.stringify(data)}`).not.toContain("c2ln");
    expect(text).toContain("GET http://localhost/t/one?access_token=•••&a=1\n");
    expect(data.upstream?.headers).toMatchObject({ authorization: "Bearer •••", cookie: "a=b; session=•••" });
  });

  it("says what a mirror would be sent, as the filters ahead have left it", async () => {
    const root = writeProject({
      "routes/t.yaml": manifest(
        "t",
        'filters: [{ headers: { request: { set: { x-a: one } } } }, { mirror: { to: "https://next.example/v2", share: 10% } }]\nupstreams: { it: { http: "https://it.example" } }\nroutes: { one: { match: "POST /one/{id}", to: it, path: "/other/{path.id}" } }\n',
      ),
    });
    const { copies, upstream, text } = await explainLine("POST http://localhost/t/one/7", { root, data: "{}" });
    expect(copies).toMatchObject([{ filter: "mirror", method: "POST", headers: { "x-a": "one" } }]);
    expect(copies[0]?.url).toBe("https://next.example/v2/t/one/7");
    expect(upstream?.url).toBe("https://it.example/other/7");
    expect(text).toMatch(/^mirror +wraps what follows +copies of 10% of requests /m);
    expect(text).toContain("mirror sends a copy: POST https://next.example/v2/t/one/7\n");
    // A route without one has none.
    expect((await explainLine("GET http://localhost/open/v1/rates/USD")).copies).toEqual([]);
  });

  it("shows the request to the service", async () => {
    const { status, steps, upstream } = await explainLine("POST http://localhost/pay/v1/payments?x=1", {
      header: ["x-api-key: demo-coffee-shop"],
      data: '{"amount":1}',
    });
    expect(status).toBe(200);
    expect(steps.every(({ verdict }) => ["passed", "wraps what follows", "asked"].includes(verdict))).toBe(true);
    expect(upstream?.url).toBe("http://localhost:18102/pay/v1/payments?x=1");
    expect(upstream?.headers).toMatchObject({ "x-merchant": "coffee-shop", "x-plan": "gold" });
    expect(upstream?.headers).not.toHaveProperty("x-api-key");
  });

  it.each([
    ["GET http://other.example/wallet/v1/x", null, "host-unknown"],
    ["GET http://localhost/nothing", null, "route-unknown"],
    ["GET http://localhost/open/v1/rates/nonsense", "open", "route-unknown"],
    ["DELETE http://localhost/open/v1/rates/USD", "open", "method-not-allowed"],
    ["GET http://localhost/open/v1/rates%2fUSD", null, "path-ambiguous"],
  ])("%s: %s %s", async (line, tier, code) => {
    expect(await explainLine(line)).toMatchObject({ tier, route: null, code });
  });

  it("what needs the network is unknown, and it says so", async () => {
    const { steps, unknown } = await explainLine("GET http://localhost/wallet/v1/accounts/7/balance", {
      header: ["authorization: Bearer eyJhbGciOiJFZERTQSJ9.e30.AAAA"],
    });
    expect(steps.find(({ filter }) => filter === "jwt")?.verdict).toBe("unknown here (keys-unavailable)");
    expect(unknown).toEqual(["http://localhost:18100 was not called; --online calls it"]);
  });

  it("of another environment a secret is not here, and is not guessed in silence", async () => {
    const { unknown } = await explainLine("POST https://api.acme.example/pay/v1/payments/7/refunds", {
      env: "production",
    });
    expect(unknown.join()).toContain("PAY_COFFEE_SHOP_KEY is not available here");
  });
});

it("a manifest that does not hold takes no request, and is named", async () => {
  const root = writeProject({
    "routes/t.yaml": manifest("t", "routes: { one: { match: GET /one, repsond: { json: {} } } }\n"),
  });
  const { exitCode, text, data } = await explain("GET", "http://localhost/t/one", { ...options, root });
  expect({ exitCode, data }).toMatchObject({
    exitCode: 1,
    data: { tier: null, problems: [{ code: "unknown-key" }] },
  });
  expect(text).toMatch(/routes of these invalid manifests are left out:\nroutes\/t\.yaml:5:\d+ +unknown-key/);
});

describe("modes, conditions and shares", () => {
  const files = {
    "routes/t.yaml": manifest(
      "t",
      `filters:
  - { ip: { deny: [192.0.2.1] }, mode: shadow, id: trial }
  - { ip: { deny: [192.0.2.2] }, id: real }
  - { ip: { deny: [192.0.2.1] }, mode: off, id: gone }
  - { respond: { status: 418, text: tea }, when: { header: { x-tea: present } } }
  - { headers: { request: { set: { x-token: { secret: IT_TOKEN } } } } }
upstreams: { it: { http: https://it.example } }
routes: { one: { match: GET /one, to: it } }
`,
    ),
    "routes/environments/local.yaml": "values: {}\ndev: { secrets: { IT_TOKEN: a-value-that-nobody-sees } }\n",
  };
  it("are shown, without secrets", async () => {
    const root = writeProject(files);
    const { text, steps, upstream, ...rest } = await explainLine("GET http://localhost/t/one", { root });
    expect(Object.fromEntries(steps.map(({ filter, verdict }) => [filter, verdict]))).toEqual({
      trial: "shadowed: address-refused",
      real: "passed",
      gone: "off",
      respond: "skipped: when",
      headers: "passed",
      "→ it": "asked",
    });
    expect(upstream?.headers["x-token"]).toBe("•••");
    expect(text + JSON.stringify(rest)).not.toContain("nobody-sees");
  });
  it("an answer of the gate's own is one", async () => {
    const root = writeProject(files);
    expect(await explainLine("GET http://localhost/t/one", { root, header: ["x-tea: 1"] })).toMatchObject({
      status: 418,
      upstream: null,
    });
  });
});

it("at a running gate, through the front, with times, by the command itself", async () => {
  const upstream = await runService((request, response) => response.end(String(request.headers["postern-explain"])));
  const keys = writeProject({});
  const key = ensureExplainKey(keys, "local");
  const files = {
    "routes/t.yaml": manifest(
      "t",
      `filters: [{ ip: { allow: [192.0.2.9] } }]\nupstreams: { it: { http: "${upstream.url}" } }\nroutes: { one: { match: GET /one, to: it, isolation: route }, two: { match: GET /two, to: it } }\n`,
    ),
    "routes/environments/local.yaml": `values: {}\nexplain: { key: "${key}" }\n`,
  };
  const { url, lines, root } = await runProject(files);
  fs.cpSync(path.join(keys, ".secrets"), path.join(root, ".secrets"), { recursive: true });
  const run = async (args: readonly string[]) => {
    const { code, out, err } = await postern(["explain", ...args, "--root", root]);
    expect([code, err]).toEqual([0, ""]);
    return out;
  };
  for (const route of ["one", "two"]) {
    const out = await run(["--at", url, "GET", `/t/${route}`]);
    expect(out).toMatch(new RegExp(`^t/${route}  routes/t\\.yaml:\\d+$`, "m"));
    expect(out).toMatch(/^ip\s+refused:\s+Client address not( allowed)?\s+\d+ ms\s+routes\/t\.yaml:5$/m);
  }
  const { hostname } = new URL(url);
  expect(await run(["--at", url, "GET", `http://${hostname}/t/one`]), "the port is --at's").toContain(
    "t/one  routes/t",
  );
  expect((await fetch(`${url}/t/two`)).headers.get("postern-trace")).toBeNull();
  expect(lines.join()).not.toContain("eyJ");
});

it("where nothing answers it says so, and a URL of another host is not called by mistake", async () => {
  const root = writeProject({
    "routes/t.yaml": manifest("t", "routes: { one: { match: GET /one, respond: { json: {} } } }\n"),
  });
  ensureExplainKey(root, "local");
  const closed = "http://localhost:1";
  await expect(explainLine("GET /t/one", { root, at: closed })).rejects.toThrow(
    /^http:\/\/localhost:1 does not answer \(.+\); check that the URL is right and that the gates run there$/,
  );
  await expect(explainLine("GET https://api.acme.example/x?y=1", { at: closed })).rejects.toThrow(
    "--at names localhost, but the URL has the host api.acme.example; write /x?y=1, or use the same host",
  );
  await expect(explainLine("GET /x", { at: "8787" })).rejects.toThrow('such as http://localhost:8787, not "8787"');
});

it("a gate without explain keys does not bundle the code of explain", async () => {
  const upstream = await runService((_, response) => response.end());
  const files = {
    "routes/t.yaml": manifest(
      "t",
      `upstreams: { it: { http: "${upstream.url}" } }\nroutes: { one: { match: GET /one, to: it } }\n`,
    ),
  };
  let code = "";
  await runProject(files, {
    onEmitted: (folder) => {
      code = fs.readFileSync(path.join(folder, "gates/t/gate.js"), "utf8");
    },
  });
  expect(code).not.toContain("postern-trace");
});

it("--init makes a key once, keeps the private half where git does not look, and prints the public one", async () => {
  const root = writeProject({});
  const first = await explain(undefined, undefined, { ...options, root, env: "production", init: true });
  const again = await explain(undefined, undefined, { ...options, root, env: "production", init: true });
  expect(first.text).toBe(again.text);
  const file = path.join(root, ".secrets/explain-production.json");
  expect((fs.statSync(file).mode & 0o777).toString(8)).toBe("600");
  const { d } = JSON.parse(fs.readFileSync(file, "utf8"));
  expect(first.text).not.toContain(d);
});
