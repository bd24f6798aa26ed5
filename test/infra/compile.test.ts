import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { unstable_readConfig } from "wrangler";
import { compile } from "../../infra/compiler/compile.ts";
import { emit } from "../../infra/compiler/emit/emit.ts";
import { longestZone } from "../../infra/compiler/inputs/zones.ts";
import { compatibilityDate, compatibilityFlags } from "../../infra/compiler/lower/platform.ts";
import { generate } from "../../infra/gen/gen.ts";
import { codeRoot, isStale } from "../../infra/project/generated-files.ts";
import { compileProject, manifest, writeProject } from "../e2e/project.ts";
import { bank } from "../fixtures/bank.ts";

const hello = (tier: string, more = "", filters = "[]") =>
  manifest(
    tier,
    `${more}filters: ${filters}\nupstreams: { it: { http: "https://it.example" } }\nroutes: { all: { match: "GET /{rest*}", to: it } }\n`,
  );

interface Bound {
  readonly service: string;
  readonly entrypoint?: string;
}

const bytesUnder = (folder: string): Record<string, string> =>
  Object.fromEntries(
    fs
      .readdirSync(folder, { recursive: true, encoding: "utf8" })
      .sort()
      .filter((file) => fs.statSync(path.join(folder, file)).isFile())
      .map((file) => [file, fs.readFileSync(path.join(folder, file), "utf8")]),
  );

describe("compilation is deterministic", () => {
  it("in two folders, the same bytes", async () => {
    const build = async () => {
      const result = compileProject({ "routes/a.yaml": hello("a"), "routes/b.yaml": hello("b") });
      await emit(result.root, result);
      return bytesUnder(path.join(result.root, ".build"));
    };
    expect(await build()).toEqual(await build());
  });

  it("whatever the order of keys, routes and hosts", () => {
    const forwards = `api: postern/v1
tier: t
hosts: [a.example, b.example]
base: /t
filters: [{ headers: { request: { set: { x-a: "1", x-b: "2" } }, response: { remove: [server] } } }]
upstreams: { x: { http: "https://x.example" }, y: { timeout: 1s, http: "https://y.example" } }
routes:
  one: { match: "GET,POST /one", to: x }
  two: { match: GET /two, to: y }
`;
    const backwards = `routes:
  two: { to: y, match: GET /two }
  one: { to: x, match: "POST,GET /one" }
upstreams: { y: { http: "https://y.example", timeout: 1s }, x: { http: { url: "https://x.example" } } }
filters: [{ headers: { response: { remove: [server] }, request: { set: { x-b: "2", x-a: "1" } } } }]
base: /t
hosts: [b.example, a.example]
tier: t
api: postern/v1
`;
    const plan = (text: string) => JSON.stringify(compileProject({ "routes/t.yaml": text }).tiers[0]?.serves[0]?.plan);
    expect(plan(backwards)).toBe(plan(forwards));
  });
});

describe("the plan", () => {
  it("has every default filled in", () => {
    expect(
      compileProject({ "routes/t.yaml": hello("t", "", "[{ cors: { origins: ['*'] } }]") }).tiers[0]?.serves[0]?.plan,
    ).toEqual({
      api: "postern/v1",
      tier: "t",
      environment: "local",
      level: "standard",
      hosts: ["localhost"],
      limits: { body: "10MiB", concurrency: 1000, "client-share": "25%", "body-idle": "10s" },
      log: { sample: "100%" },
      filters: {
        cors: {
          use: "cors",
          kind: "guard",
          mode: "enforce",
          percent: "100%",
          with: {
            origins: ["*"],
            headers: ["authorization", "content-type"],
            expose: ["x-request-id"],
            credentials: false,
            "max-age": "5m",
          },
        },
      },
      upstreams: { it: { use: "http", timeout: "30s", with: { location: "rewrite", url: "https://it.example" } } },
      routes: { all: { filters: ["cors"], goes: { to: "it" } } },
      table: { literals: [["t", { rest: [["GET", [{ route: "all", names: ["rest"] }]]] }]] },
    });
  });

  it("lists the tier's filters, less those dropped, then the route's", () => {
    const text = manifest(
      "t",
      `filters: [{ cors: { origins: ["*"] } }, { ip: { deny: [10.0.0.0/8] } }]
upstreams: { it: { http: "https://it.example" } }
routes:
  all: { match: GET /all, to: it }
  some: { match: GET /some, without: [cors], filters: [{ body-limit: 1KiB }, { timeout: 1s, id: quick }], to: it }
`,
    );
    const routes = compileProject({ "routes/t.yaml": text }).tiers[0]?.serves[0]?.plan.routes;
    expect(routes?.all?.filters).toEqual(["cors", "ip"]);
    expect(routes?.some?.filters).toEqual(["ip", "some/body-limit", "some/quick"]);
  });
});

describe("one tier's problem is no other's", () => {
  const files = { "routes/good.yaml": hello("good"), "routes/bad.yaml": `${hello("bad")}oops: 1\n` };

  it("the good gate is written, the bad one is not, and the front waits", async () => {
    const root = writeProject(files);
    const emitted = await emit(root, compile(root, "local"));
    expect(emitted.map(({ worker }) => worker)).toEqual(["gate-good-local"]);
    expect(fs.existsSync(path.join(root, ".build/local/front"))).toBe(false);
  });

  it("a broken edit keeps the tier's last good plan, and the others go on", () => {
    const root = writeProject({ "routes/good.yaml": hello("good"), "routes/bad.yaml": hello("bad") });
    const before = compile(root, "local");
    fs.writeFileSync(path.join(root, "routes/bad.yaml"), files["routes/bad.yaml"]);
    fs.writeFileSync(path.join(root, "routes/good.yaml"), hello("good", "log: { sample: 1% }\n"));
    const after = compile(root, "local", before);
    expect(after.problems.map(({ file, code }) => `${file} ${code}`)).toEqual(["routes/bad.yaml unknown-key"]);
    expect(after.tiers.map(({ serves: [own] }) => [own?.plan.tier, own?.plan.log.sample])).toEqual([
      ["bad", "100%"],
      ["good", "1%"],
    ]);
    expect(after.missing).toEqual([]);
  });

  it("reports a tier or a base that is claimed twice", () => {
    const root = writeProject({
      "routes/a.yaml": hello("a"),
      "routes/b.yaml": hello("b").replace("base: /b", "base: /a"),
      "routes/c.yaml": hello("a").replace("base: /a", "base: /c"),
    });
    expect(compile(root, "local").problems.map(({ file, code }) => `${file} ${code}`)).toEqual([
      "routes/a.yaml base-claimed-twice",
      "routes/b.yaml base-claimed-twice",
      "routes/c.yaml file-name",
    ]);
  });

  it.each([
    ["routes/consumers.yaml", `consumers: { shop: { keys: ["sha256:${"a".repeat(64)}"] } }\n`],
    ["routes/environments/local.yaml", "front: { gray-key: { header: x-device } }\n"],
  ])("%s, broken, takes nothing away", async (file, text) => {
    const root = writeProject({ "routes/a.yaml": hello("a"), [file]: text });
    const before = compile(root, "local");
    await emit(root, before);
    const built = bytesUnder(path.join(root, ".build"));
    fs.writeFileSync(path.join(root, file), `${text}oops: 1\n`);
    const after = compile(root, "local", before);
    expect(after.problems.map((it) => `${it.file} ${it.code}`)).toEqual([`${file} unknown-key`]);
    expect([after.consumers, after.front]).toEqual([before.consumers, before.front]);
    expect(await emit(root, compile(root, "local"))).toEqual([]);
    expect(bytesUnder(path.join(root, ".build"))).toEqual(built);
  });

  it("a gate whose manifest is gone goes too", async () => {
    const root = writeProject({ "routes/a.yaml": hello("a"), "routes/b.yaml": hello("b") });
    await emit(root, compile(root, "local"));
    fs.rmSync(path.join(root, "routes/b.yaml"));
    await emit(root, compile(root, "local"));
    expect(fs.readdirSync(path.join(root, ".build/local/gates"))).toEqual(["a"]);
  });
});

describe("what tiers share", () => {
  const preset = (filters: string) => `preset: mobile\nsummary: For apps\nfilters: ${filters}\n`;
  const limits = (result: ReturnType<typeof compile>) =>
    result.tiers.map(({ serves: [own] }) => Object.keys(own?.plan.filters ?? {}));

  it("a tier is not built without the filters of its preset, and keeps its last good plan where it has one", () => {
    const files = {
      "routes/t.yaml": hello("t", "preset: mobile\n"),
      "routes/presets/mobile.yaml": preset("[{ body-limit: 1KiB }]"),
    };
    const root = writeProject(files);
    const before = compile(root, "local");
    expect(limits(before)).toEqual([["body-limit"]]);
    fs.writeFileSync(path.join(root, "routes/presets/mobile.yaml"), preset("[{ body-limits: 1KiB }]"));
    expect(compile(root, "local").missing).toEqual(["routes/t.yaml"]);
    const after = compile(root, "local", before);
    expect([after.missing, limits(after)]).toEqual([[], [["body-limit"]]]);
    expect(after.problems.map(({ file, code }) => `${file} ${code}`)).toEqual([
      "routes/presets/mobile.yaml unknown-filter",
    ]);
  });

  it("a change of it reaches tiers whose manifests are as they were", () => {
    const text = hello("t", "preset: mobile\n").replace("https://it.example", `$${"{it-url}"}`);
    const values = (url: string) => `values: { it-url: "${url}" }\n`;
    const root = writeProject({
      "routes/t.yaml": text,
      "routes/presets/mobile.yaml": preset("[{ body-limit: 1KiB }]"),
      "routes/environments/local.yaml": values("https://one.example"),
    });
    const first = compile(root, "local");
    expect(compile(root, "local", first).tiers[0]?.serves[0]?.plan).toBe(first.tiers[0]?.serves[0]?.plan);
    fs.writeFileSync(path.join(root, "routes/environments/local.yaml"), values("https://two.example"));
    const second = compile(root, "local", first);
    expect(second.tiers[0]?.serves[0]?.plan.upstreams.it?.with).toEqual({
      location: "rewrite",
      url: "https://two.example",
    });
    fs.writeFileSync(path.join(root, "routes/presets/mobile.yaml"), preset("[{ timeout: 1s }]"));
    expect(limits(compile(root, "local", second))).toEqual([["timeout"]]);
  });

  it("nothing is called unused while a manifest cannot be read", () => {
    const environment = "values: { spare: x }\n";
    const codes = (text: string) =>
      compile(
        writeProject({ "routes/t.yaml": text, "routes/environments/local.yaml": environment }),
        "local",
      ).problems.map(({ code }) => code);
    expect(codes(hello("t"))).toEqual(["unused-value"]);
    expect(codes(`${hello("t")}oops: [\n`)).toEqual(["bad-yaml"]);
  });

  it("of two zones that hold a host, the longer one is meant", () => {
    expect(longestZone("a.b.acme.example", ["acme.example", "b.acme.example", "example"])).toBe("b.acme.example");
    expect(longestZone("evil-acme.example", ["acme.example"])).toBeUndefined();
  });
});

describe("the digest", () => {
  const files = (manifest: string, more = {}) => ({
    "routes/t.yaml": manifest,
    "routes/environments/local.yaml": `kv: { consumers: "${"1".repeat(32)}" }\n`,
    ...more,
  });
  const base = manifest(
    "t",
    'filters: [{ api-key: {} }]\nupstreams: { it: { http: "https://it.example" } }\nroutes: { one: { match: GET /one, to: it }, two: { match: GET /two, to: it } }\n',
  );
  const digest = async (text: string, more = {}) => {
    const result = compileProject(files(text, more));
    return (await emit(result.root, result)).find(({ tiers }) => tiers.includes("t"))?.digest;
  };

  it.each([
    ["a comment and an empty line", `# why\n\n${base}`],
    [
      "block style for flow style",
      base.replace("filters: [{ api-key: {} }]", "filters:\n  - api-key:\n      header: x-api-key"),
    ],
    ["the order of routes", base.replace(/\{ one: (.*?) \}, two: (.*?) \} \}/, "{ two: $2 }, one: $1 } }")],
    [
      "owner, summary, labels and release, which no gate acts on",
      `${base}owner: me\nsummary: it\nlabels: { a: b }\nrelease: { bake: 1h }\n`,
    ],
    ["lines that end as on Windows", base.replaceAll("\n", "\r\n")],
  ])("is the same for %s", async (_, text) => {
    expect(await digest(text)).toBe(await digest(base));
  });

  it.each([
    ["a route", base.replace("GET /two", "GET /three"), {}],
    ["a default that is changed", `${base}limits: { body: 1KiB }\n`, {}],
    ["a part", base.replace("[{ api-key: {} }]", "[{ api-key: {} }, { timeout: 1s }]"), {}],
    ["a bound of the platform", `${base}limits: { cpu: 50ms }\n`, {}],
    ["a binding", base, { "routes/environments/local.yaml": `kv: { consumers: "${"2".repeat(32)}" }\n` }],
    ["an entry", `${base}entry: zone\n`, {}],
  ])("is another for %s", async (_, text, more) => {
    expect(await digest(text, more)).not.toBe(await digest(base));
  });
});

describe("what a tier asks of the platform", () => {
  const emittedFor = async (more: string, environment = "values: {}\n") => {
    const text = hello("t", more).replace("hosts: [localhost]", 'hosts: [api.acme.example, "*.acme.example"]');
    const result = compileProject({ "routes/t.yaml": text, "routes/environments/local.yaml": environment });
    const emitted = await emit(result.root, result);
    return emitted.map(({ folder }) => unstable_readConfig({ config: path.join(folder, "wrangler.json") }));
  };

  it("its limits", async () => {
    const [gate] = await emittedFor("limits: { cpu: 2s, sub-requests: 20 }\n");
    expect(gate?.limits).toEqual({ cpu_ms: 2000, subrequests: 20 });
  });

  it("by its zone, it takes all beneath its base, and the front keeps the rest of the host", async () => {
    const [gate, front] = await emittedFor("entry: zone\n", "front: { zones: [acme.example] }\n");
    const zone_name = "acme.example";
    expect(gate?.routes).toEqual([
      { pattern: "api.acme.example/t", zone_name },
      { pattern: "api.acme.example/t/*", zone_name },
      { pattern: "*.acme.example/t", zone_name },
      { pattern: "*.acme.example/t/*", zone_name },
    ]);
    expect(front?.routes).toEqual([
      { pattern: "*.acme.example/*", zone_name },
      { pattern: "api.acme.example/*", zone_name },
    ]);
  });
});

describe("the output for the examples", async () => {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), "postern-"));
  afterAll(() => fs.rmSync(root, { recursive: true }));
  fs.cpSync(path.join(bank, "routes"), path.join(root, "routes"), { recursive: true });
  const emitted = await emit(root, compile(root, "production"));
  const workers = emitted.map((it) => ({
    ...it,
    config: unstable_readConfig({ config: path.join(it.folder, "wrangler.json") }),
    code: bytesUnder(it.folder),
  }));

  it("is a front, a gate for each tier, and what counts for them: a core tier has its own", () => {
    expect(workers.map(({ worker }) => worker)).toEqual([
      "gate-open",
      "gate-pay",
      "gate-wallet",
      "state-pay",
      "state-shared",
      "state-wallet",
      "postern-front",
    ]);
  });

  it.each(workers)("$worker is not reachable on workers.dev, nor is any version of it", ({ config }) => {
    expect([config.workers_dev, config.preview_urls]).toEqual([false, false]);
  });

  it.each(workers.filter(({ kind }) => kind === "gate"))("$worker has no route of its own", ({ config }) => {
    expect([config.routes, config.route]).toEqual([undefined, undefined]);
  });

  it.each(workers)("$worker has no zod, and no part that its plan does not use", ({ code, parts }) => {
    const all = Object.values(code).join();
    expect(all).not.toMatch(/ZodError|zod|_zod|safeParse/);
    const marks = {
      jwt: "token-missing",
      "api-key": "key-unknown",
      cors: "access-control-max-age",
      ip: "address-refused",
      timeout: '"Request timed out"',
    };
    for (const [part, mark] of Object.entries(marks))
      expect([part, all.includes(mark)]).toEqual([part, parts.includes(part)]);
  });

  it.each(workers)("$worker is small: $gzipBytes bytes gzipped", ({ gzipBytes }) => {
    expect(gzipBytes).toBeLessThan(56 * 1024);
  });

  it("reaches gates by the entrypoint that is not routable", () => {
    const front = workers.at(-1)?.config;
    expect(front?.services?.map((it: Bound) => `${it.service} ${it.entrypoint}`)).toEqual([
      "gate-open Behind",
      "gate-pay Behind",
      "gate-wallet Behind",
    ]);
  });

  it("reaches state by the entrypoint that is not routable, as the tier that it is", () => {
    const pay = workers.find(({ worker }) => worker === "gate-pay")?.config;
    expect(pay?.services).toContainEqual({
      binding: "STATE_PAY",
      service: "state-pay",
      entrypoint: "State",
      props: { tier: "pay", shards: 16 },
    });
  });

  it("has no key of a consumer, but its hash", () => {
    const consumers = fs.readFileSync(path.join(root, ".build/production/consumers.json"), "utf8");
    expect(consumers).toContain("key/");
    expect(consumers).not.toContain("demo-coffee-shop");
  });
});

describe("committed files", async () => {
  it.each(generate().map((it) => ({ ...it, stale: isStale(it, codeRoot) })))("$file is fresh", ({ stale }) => {
    expect(stale).toBe(false);
  });

  it("the root's wrangler.toml is a front by itself, which needs no zone and no other Worker", () => {
    const config = unstable_readConfig({ config: path.join(codeRoot, "wrangler.toml") });
    expect([config.workers_dev, config.preview_urls, config.name]).toEqual([true, false, "postern-front"]);
    expect([config.compatibility_date, config.compatibility_flags]).toEqual([compatibilityDate, compatibilityFlags]);
    expect([config.routes, config.services]).toEqual([undefined, []]);
  });
});
