/** The Workers that tiers make in the three shapes of isolation: their names, digests, bounds, and what waits for whom. */
import fs from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { unstable_readConfig } from "wrangler";
import { parse } from "yaml";
import { build } from "../../infra/commands/authoring/build.ts";
import { routes } from "../../infra/commands/authoring/routes.ts";
import { list, set } from "../../infra/commands/release/secrets.ts";
import { compile } from "../../infra/compiler/compile.ts";
import { type Emitted, emit } from "../../infra/compiler/emit/emit.ts";
import { compileProject, type Files, manifest, writeProject } from "../e2e/project.ts";
import { bank } from "../fixtures/bank.ts";

const small = (tier: string, more = "") =>
  manifest(
    tier,
    `isolation: shared\n${more}upstreams: { it: { http: "https://${tier}.example" } }\nroutes: { all: { match: "GET /{rest*}", to: it } }\n`,
  );

const lifting = (more = "") =>
  manifest(
    "a",
    `${more}upstreams: { it: { http: "https://it.example" }, other: { http: "https://other.example" } }
routes:
  one: { match: GET /one, to: it }
  two: { match: GET /two, to: other, isolation: route, filters: [{ body-limit: 1KiB }] }
`,
  );

const emittedBy = async (files: Files) => {
  const result = compileProject(files);
  return emit(result.root, result);
};

const configOf = (folder: string) => unstable_readConfig({ config: path.join(folder, "wrangler.json") });

describe("the digest of a gate", () => {
  const digests = async (files: Files) =>
    Object.fromEntries((await emittedBy(files)).map(({ worker, digest }) => [worker, digest]));
  const changed = async (before: Files, after: Files) => {
    const [old, now] = [await digests(before), await digests(after)];
    return Object.keys(now).filter((worker) => now[worker] !== old[worker]);
  };
  const own = "gate-a-local";
  const alone = "gate-a--two-local";
  const front = "postern-front-local";
  const files = { "routes/a.yaml": lifting() };
  const edited = (from: string, to: string) => ({ "routes/a.yaml": lifting().replace(from, to) });

  it.each([
    ["a lifted route's filters", edited("1KiB", "2KiB"), [alone]],
    ["a lifted route's upstream", edited("https://other.example", "https://another.example"), [alone]],
    ["what a lifted route takes", edited("GET /two", "GET /three"), [own, alone, front]],
    ["another route's upstream", edited("https://it.example", "https://another.example"), [own]],
    ["what another route takes", edited("GET /one", "GET /three"), [own, front]],
    ["a bound of the tier", { "routes/a.yaml": lifting("limits: { cpu: 50ms }\n") }, [own, alone]],
    ["a tier beside it", { ...files, "routes/b.yaml": small("b") }, ["gate-shared-local", front]],
  ])("follows %s, and no other does", async (_, after, workers) => {
    expect(await changed(files, after)).toEqual(workers);
  });

  it("of a shared one follows each of its tiers, and nothing else does", async () => {
    const before = { "routes/a.yaml": lifting(), "routes/b.yaml": small("b"), "routes/c.yaml": small("c") };
    const after = { ...before, "routes/c.yaml": small("c", "log: { sample: 1% }\n") };
    expect(await changed(before, after)).toEqual(["gate-shared-local"]);
  });
});

describe("what a gate asks of the platform", () => {
  it("a lifted route has its tier's limits, a shared gate has none", async () => {
    const emitted = await emittedBy({
      "routes/a.yaml": lifting("limits: { cpu: 2s, sub-requests: 20 }\n"),
      "routes/b.yaml": small("b"),
    });
    const gates = emitted.filter(({ kind }) => kind === "gate");
    expect(gates.map(({ worker, folder }) => [worker, configOf(folder).limits])).toEqual([
      ["gate-a-local", { cpu_ms: 2000, subrequests: 20 }],
      ["gate-a--two-local", { cpu_ms: 2000, subrequests: 20 }],
      ["gate-shared-local", undefined],
    ]);
  });

  it("a secret that one small tier lacks keeps no other's release back, so a shared gate requires none", async () => {
    const token = "filters: [{ headers: { request: { set: { x-token: { secret: IT_TOKEN } } } } }]\n";
    const emitted = await emittedBy({
      "routes/a.yaml": lifting(token),
      "routes/b.yaml": small("b", token),
      "routes/c.yaml": small("c"),
    });
    const gates = emitted.filter(({ kind }) => kind === "gate");
    expect(gates.map(({ folder, secrets }) => [configOf(folder).secrets?.required, secrets])).toEqual([
      [["IT_TOKEN"], ["IT_TOKEN"]],
      [["IT_TOKEN"], ["IT_TOKEN"]],
      [undefined, ["IT_TOKEN"]],
    ]);
  });

  it.each([
    ["level: core\n", 2000],
    ["", 1000],
    ["level: best-effort\n", 250],
    ["level: best-effort\nlimits: { concurrency: 7 }\n", 7],
  ])("%j has room for %i requests at once, its lifted routes too", (more, most) => {
    const [tier] = compileProject({ "routes/a.yaml": lifting(more) }).tiers;
    expect(tier?.serves.map(({ plan }) => plan.limits.concurrency)).toEqual([most, most]);
  });
});

const { control } = parse(fs.readFileSync(path.join(bank, "routes/environments/local.yaml"), "utf8")) as {
  readonly control: object;
};

describe("what the front carries of version keys", () => {
  const frontOf = async (environment: object) => {
    const emitted = await emittedBy({
      "routes/a.yaml": lifting(),
      "routes/b.yaml": small("b"),
      "routes/c.yaml": small("c"),
      "routes/environments/local.yaml": JSON.stringify(environment),
    });
    const { folder, generated, secrets } = emitted.find(({ kind }) => kind === "front") as Emitted;
    const read = (file: string) => fs.readFileSync(path.join(folder, file), "utf8");
    const workers = /"workers":(\{[^}]*\})/.exec(read("plan.js"))?.[1];
    const { services, kv_namespaces: copies } = configOf(folder);
    const feeds = services?.filter(({ binding }: { readonly binding: string }) => binding.startsWith("FEED"));
    return {
      ...{ generated, secrets, feeds, copies, carries: read("front.js").includes("postern version key 1") },
      workers: workers === undefined ? null : JSON.parse(workers),
    };
  };

  it("is the Worker of each binding, its feed and a secret that is generated, if there is a control plane", async () => {
    const feed = "00000000000000000000000000000002";
    expect(await frontOf({ control, kv: { feed } })).toEqual({
      generated: ["POSTERN_SPLIT_KEY"],
      secrets: [],
      feeds: [{ binding: "FEED_FRONT", service: "postern-feed-local", entrypoint: "Read", props: { tier: "front" } }],
      copies: [{ binding: "COPY", id: feed }],
      carries: true,
      // Tiers of a shared gate have one Worker, so a user has one version there.
      workers: {
        GATE_A: "gate-a-local",
        GATE_A__TWO: "gate-a--two-local",
        GATE_B: "gate-shared-local",
        GATE_C: "gate-shared-local",
      },
    });
  });

  it("is nothing without one", async () => {
    expect(await frontOf({})).toEqual({
      generated: [],
      secrets: [],
      feeds: [],
      copies: [],
      carries: false,
      workers: null,
    });
  });

  it("is listed with the secrets, and nobody sets it", async () => {
    const root = writeProject({
      "routes/b.yaml": small("b"),
      "routes/environments/local.yaml": JSON.stringify({ control }),
    });
    const options = { root, env: "local", target: "cloudflare" };
    const { secrets } = (await list(options)).data as { readonly secrets: readonly { readonly secret: string }[] };
    expect(secrets.filter(({ secret }) => secret === "POSTERN_SPLIT_KEY")).toEqual([
      { secret: "POSTERN_SPLIT_KEY", tier: "front", worker: "postern-front-local", set: false, generated: true },
    ]);
    await expect(set("POSTERN_SPLIT_KEY", options, async () => "mine")).rejects.toThrow(
      /POSTERN_SPLIT_KEY cannot be set/,
    );
  });
});

describe("what a gate carries of a cut-over", () => {
  const codeOf = async (to: string) => {
    const upstreams = 'upstreams: { it: { http: "https://it.example" }, old: { http: "https://old.example" } }\n';
    const routes = `routes:\n  one: { match: GET /one, to: ${to} }\n  two: { match: GET /two, to: old, isolation: route }\n`;
    const emitted = await emittedBy({
      "routes/a.yaml": manifest("a", upstreams + routes),
      "routes/environments/local.yaml": JSON.stringify({ control }),
    });
    return emitted
      .filter(({ kind }) => kind === "gate")
      .map(({ folder }) => {
        const code = fs.readFileSync(path.join(folder, "gate.js"), "utf8");
        return { sides: code.includes('"legacy"'), moves: /kind==="cutover"\?/.test(code) };
      });
  };

  it("is there where a route is cut over or has weights, and nowhere else", async () => {
    const none = { sides: false, moves: false };
    expect(await codeOf("it")).toEqual([none, none]);
    expect(await codeOf("it, cutover: { legacy: old, percent: 0% }")).toEqual([{ sides: true, moves: true }, none]);
    expect(await codeOf("[{ it: 9 }, { old: 1 }]")).toEqual([{ sides: false, moves: true }, none]);
  });
});

it.each([
  ["local", false],
  ["leased", true],
  ["exact", true],
])("a gate whose limits are counted %s carries the library that counts in stores: %s", async (count, carries) => {
  const limit = `filters:\n  - rate-limit: { limit: 5/s, by: ip, count: ${count} }\n`;
  const rest = "upstreams: { it: { http: https://it.example } }\nroutes: { one: { match: GET /one, to: it } }\n";
  const emitted = await emittedBy({ "routes/a.yaml": manifest("a", limit + rest) });
  const folder = emitted.find(({ kind }) => kind === "gate")?.folder ?? "";
  const code = fs.readFileSync(path.join(folder, "gate.js"), "utf8");
  // Its scripts are Lua.
  expect(code.includes("redis.call(")).toBe(carries);
});

describe("names", () => {
  const long = "l".repeat(48);
  const text = lifting()
    .replace("tier: a", `tier: ${long}`)
    .replace("  two:", `  ${"t".repeat(48)}:`);
  const environment = "a-preproduction";

  it("of Workers and bindings end at 63 characters, and stay apart", async () => {
    const root = writeProject({
      [`routes/${long}.yaml`]: text.replace("  one: {", `  ${"t".repeat(47)}u: { isolation: route,`),
      [`routes/environments/${environment}.yaml`]: "values: {}\n",
    });
    const result = compile(root, environment);
    const emitted = await emit(root, result);
    const bindings: string[] =
      configOf(emitted.at(-1)?.folder ?? "").services?.map((it: { readonly binding: string }) => it.binding) ?? [];
    for (const names of [emitted.map(({ worker }) => worker), bindings]) {
      expect(names.every(({ length }) => length <= 63)).toBe(true);
      expect(new Set(names).size).toBe(names.length);
    }
    expect(bindings).toHaveLength(3);
  });

  it("of Workers are what `routes` and `build` show", async () => {
    const { root } = compileProject({ "routes/a.yaml": lifting(), "routes/b.yaml": small("b") });
    const { data } = routes({ root, env: "local" }) as { data: { routes: { route: string; gate: string }[] } };
    expect(data.routes.map(({ route, gate }) => `${route} ${gate}`)).toEqual([
      "a/one gate-a-local",
      "a/two gate-a--two-local",
      "b/all gate-shared-local",
    ]);
    const { text } = await build({ root, env: "local" });
    for (const { gate } of data.routes) expect(text).toMatch(new RegExp(`^${gate} `, "m"));
  });
});

describe("a broken manifest", () => {
  const broken = (text: string) => `${text}oops: 1\n`;
  const built = async (files: Files) => {
    const root = writeProject(files);
    const { text } = await build({ root, env: "local" });
    const gates = path.join(root, ".build/local/gates");
    return { root, text, gates: () => (fs.existsSync(gates) ? fs.readdirSync(gates).sort() : []) };
  };

  it.each([
    ["has problems", broken(small("c"))],
    ["cannot be read", "isolation: [\n"],
    ["has an isolation that is none", small("c").replace("isolation: shared", "isolation: shard")],
  ])("of a tier that shares and %s keeps the shared gate from being written without it", async (_, text) => {
    const { text: said, gates } = await built({
      "routes/a.yaml": lifting(),
      "routes/b.yaml": small("b"),
      "routes/c.yaml": text,
    });
    expect(gates()).toEqual(["a", "a--two"]);
    expect(said).toContain("gate-shared is not written, because it would lose the tier of routes/c.yaml");
  });

  it("of a tier that does not share keeps no small tier back", async () => {
    const { text, gates } = await built({ "routes/a.yaml": broken(lifting()), "routes/b.yaml": small("b") });
    expect(gates()).toEqual(["shared"]);
    expect(text).not.toContain("gate-shared is not written");
  });

  it("leaves what was built of it: its own gate, its lifted routes', the shared one", async () => {
    const { root, gates } = await built({ "routes/a.yaml": lifting(), "routes/b.yaml": small("b") });
    for (const [name, text] of Object.entries({ a: lifting(), b: small("b") }))
      fs.writeFileSync(path.join(root, `routes/${name}.yaml`), broken(text));
    await build({ root, env: "local" });
    expect(gates()).toEqual(["a", "a--two", "shared"]);
  });
});

it("gates that no manifest asks for any more are removed", async () => {
  const { root } = compileProject({ "routes/a.yaml": lifting(), "routes/b.yaml": small("b") });
  await emit(root, compile(root, "local"));
  fs.writeFileSync(path.join(root, "routes/a.yaml"), lifting().replace(", isolation: route", ""));
  fs.writeFileSync(path.join(root, "routes/b.yaml"), small("b").replace("isolation: shared\n", ""));
  await emit(root, compile(root, "local"));
  expect(fs.readdirSync(path.join(root, ".build/local/gates")).sort()).toEqual(["a", "b"]);
});

it("the front is bound to each gate by the entrypoint that has no address", async () => {
  const result = compileProject({ "routes/a.yaml": lifting(), "routes/b.yaml": small("b") });
  const emitted = await emit(result.root, result);
  const { services } = unstable_readConfig({ config: path.join(emitted.at(-1)?.folder ?? "", "wrangler.json") });
  expect(services).toEqual([
    { binding: "GATE_A", service: "gate-a-local", entrypoint: "Behind" },
    { binding: "GATE_A__TWO", service: "gate-a--two-local", entrypoint: "Behind" },
    { binding: "GATE_B", service: "gate-shared-local", entrypoint: "Behind", props: { tier: "b" } },
  ]);
});
