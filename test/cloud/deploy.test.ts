/** deploy, releases and rollback, by real wrangler against a local cloud: the first, the next, the broken-off one, and back again. */
import { createHash } from "node:crypto";
import { once } from "node:events";
import fs from "node:fs";
import http from "node:http";
import path from "node:path";
import { text } from "node:stream/consumers";
import { expect, it, onTestFinished } from "vitest";
import { type Cloud, startCloud } from "../../infra/cloud/cloud.ts";
import { deploy } from "../../infra/commands/release/deploy.ts";
import { releases } from "../../infra/commands/release/releases.ts";
import { rollback } from "../../infra/commands/release/rollback.ts";
import { consumersKey, list, set } from "../../infra/commands/release/secrets.ts";
import { compile } from "../../infra/compiler/compile.ts";
import { emit } from "../../infra/compiler/emit/emit.ts";
import { namespaceOf } from "../../infra/release/consumers/kv.ts";
import type { Done } from "../../infra/release/deploy.ts";
import { publicationOf } from "../../infra/release/publication.ts";
import { targetOf } from "../../infra/release/target.ts";
import { manifest, project, service } from "../e2e/city.ts";

const environment = "values: {}\n";

const town = async (files: Readonly<Record<string, string>>) => {
  const root = project({ "routes/environments/test.yaml": environment, ...files });
  const cloud = await startCloud({ folder: path.join(root, ".cloud"), edgePort: 0, apiPort: 0 });
  onTestFinished(() => cloud.close());
  const options = { root, env: "test", target: cloud.api };
  return {
    root,
    cloud,
    edit: (file: string, text: string) => fs.writeFileSync(path.join(root, file), text),
    get: async (target: string, headers: Record<string, string> = {}) => {
      const response = await fetch(cloud.edge + target, { headers });
      return { status: response.status, text: await response.text() };
    },
    deploy: async (tiers: readonly string[] = [], split = "100", prune?: true) => {
      const outcome = await deploy(tiers, { ...options, split, message: "a reason", prune });
      const { workers } = outcome.data as { readonly workers: readonly Done[] };
      return {
        ...outcome,
        done: Object.fromEntries(workers.map(({ worker, what, share }) => [worker, `${what} ${share}`])),
      };
    },
    releases: (tier: string) => releases(tier, options),
    rollback: (tier: string, more: { to?: string; oldSecrets?: true } = {}) => rollback(tier, { ...options, ...more }),
    secret: (name: string, value: string) => set(name, options, async () => value),
  };
};

/** Says in each answer which edit it is of. */
const tier = (name: string, url: string, edit: string, extra = "") =>
  manifest(
    name,
    `${extra}upstreams: { it: { http: "${url}" } }
routes:
  it: { match: GET /it, to: it }
  which: { match: GET /which, respond: { status: 200, text: "${edit}" } }
`,
  );

/** `fetch` sets the Host header itself. */
const asHost = async (url: string, host: string): Promise<string> => {
  const [response] = (await once(http.get(url, { headers: { host } }), "response")) as [http.IncomingMessage];
  return text(response);
};

const sharesOf = (cloud: Cloud, worker: string) =>
  cloud.control.worker(worker).deployments[0]?.versions.map(({ percentage }) => percentage);

it("brings all of it, then only what has changed, as a split that comes back in one call", {
  timeout: 180_000,
}, async () => {
  const upstream = await service((_, response) => response.end("ok"));
  const limited = "filters: [{ rate-limit: { limit: 1000/m, by: ip, count: exact } }]\n";
  const { cloud, edit, get, ...postern } = await town({
    "routes/a.yaml": tier("a", upstream.url, "first", limited),
    "routes/b.yaml": tier("b", upstream.url, "first"),
  });
  expect((await postern.deploy()).done).toEqual({
    "state-shared-test": "created 100",
    "gate-a-test": "created 100",
    "gate-b-test": "created 100",
    "postern-front-test": "created 100",
  });
  expect(await get("/a/it")).toEqual({ status: 200, text: "ok" });
  expect(await get("/a/which")).toEqual({ status: 200, text: "first" });
  // Gates are reached by the front and by nobody else.
  for (const name of ["gate-a-test", "state-shared-test", "postern-front-test"])
    expect(await asHost(cloud.edge, `${name}.localhost`)).toContain("nothing is routed");

  const again = await postern.deploy();
  expect(Object.values(again.done)).toEqual(Array(4).fill("unchanged 100"));
  expect(again.text).toContain("nothing has changed");

  edit("routes/a.yaml", tier("a", upstream.url, "second", limited));
  edit("routes/b.yaml", "tier: broken by another team\n");
  // One team's release needs no other's manifest.
  expect((await postern.deploy(["a"], "25")).done).toEqual({
    "state-shared-test": "unchanged 100",
    "gate-a-test": "uploaded 25",
  });
  expect(sharesOf(cloud, "gate-a-test")).toEqual([75, 25]);
  const asked = await Promise.all(Array.from({ length: 200 }, () => get("/a/which")));
  const second = asked.filter(({ text }) => text === "second").length;
  // 25 % of 200: beyond 20 and 80 once in a million runs.
  expect(asked.every(({ status }) => status === 200) && second > 20 && second < 80).toBe(true);
  expect((await get("/b/which")).text).toBe("first");

  const listed = await postern.releases("a");
  expect(listed.text).toContain("a reason");
  expect(listed.text).toMatch(/ #{3} +25 %\n[\s\S]* #{8} +75 %\n/);
  expect((await postern.rollback("a")).exitCode).toBe(0);
  expect(sharesOf(cloud, "gate-a-test")).toEqual([100]);
  expect((await get("/a/which")).text).toBe("first");
  // What was uploaded once is put live without another upload.
  expect((await postern.deploy(["a"])).done["gate-a-test"]).toBe("deployed 100");
  expect((await get("/a/which")).text).toBe("second");
  expect(cloud.control.worker("gate-a-test").versions).toHaveLength(2);
  // What all users have is not deployed once more for nobody.
  const { length } = cloud.control.worker("gate-a-test").deployments;
  expect((await postern.deploy(["a"], "0")).done["gate-a-test"]).toBe("unchanged 100");
  expect(cloud.control.worker("gate-a-test").deployments).toHaveLength(length);
});

it("what the dev loop publishes is what wrangler uploads of the same folder", { timeout: 120_000 }, async () => {
  const upstream = await service((_, response) => response.end("ok"));
  const counted = "filters: [{ rate-limit: { limit: 9/m, by: ip, count: exact } }, { api-key: { header: x-key } }]\n";
  const lifted = tier("a", upstream.url, "first", counted).replace("to: it }", "to: it, isolation: route }");
  const { cloud, root, ...postern } = await town({
    "routes/environments/test.yaml": 'kv: { consumers: "00000000000000000000000000000007" }\n',
    "routes/a.yaml": lifted,
    "routes/b.yaml": tier("b", upstream.url, "first", "isolation: shared\n"),
  });
  await postern.deploy();
  const emitted = await emit(root, compile(root, "test"));
  expect(emitted.map(({ worker }) => worker)).toHaveLength(5);
  for (const it of emitted) {
    const { upload } = publicationOf(it, { secrets: {}, exists: () => true });
    const [version] = cloud.control.worker(it.worker).versions;
    const byName = (all: readonly unknown[]) =>
      (all as readonly { readonly name: string }[]).toSorted((a, b) => a.name.localeCompare(b.name));
    expect(byName(version?.bindings ?? [])).toEqual(byName(upload.metadata.bindings));
    expect(version).toMatchObject({
      mainModule: upload.metadata.main_module,
      compatibilityDate: upload.metadata.compatibility_date,
      compatibilityFlags: upload.metadata.compatibility_flags,
      annotations: upload.metadata.annotations,
      limits: {},
    });
    expect(byName(version?.modules ?? []).map(({ name }) => name)).toEqual(
      byName(upload.modules).map(({ name }) => name),
    );
  }
});

it("goes on where it was broken off", { timeout: 120_000 }, async () => {
  const upstream = await service((_, response) => response.end("ok"));
  const { cloud, root, edit, get, ...postern } = await town({ "routes/a.yaml": tier("a", upstream.url, "first") });
  await postern.deploy();
  edit("routes/a.yaml", tier("a", upstream.url, "second"));
  // As if it had ended between the upload and the deployment.
  const [gate] = await emit(root, compile(root, "test"), { only: "a" });
  if (!gate) throw new Error("nothing was built");
  await cloud.control.publish([{ ...publicationOf(gate, { secrets: {}, exists: () => true }), deploy: false }]);
  expect((await get("/a/which")).text).toBe("first");
  expect((await postern.deploy(["a"])).done).toEqual({ "gate-a-test": "deployed 100" });
  expect((await get("/a/which")).text).toBe("second");
  // As if it had ended between the front's version and its routes.
  await cloud.control.change("postern-front-test", { routes: [] });
  expect((await get("/a/which")).status).toBe(404);
  await postern.deploy();
  expect((await get("/a/which")).text).toBe("second");
});

it("a tier that has gone leaves a gate, which --prune deletes", { timeout: 120_000 }, async () => {
  const upstream = await service((_, response) => response.end("ok"));
  const { cloud, root, get, ...postern } = await town({
    "routes/a.yaml": tier("a", upstream.url, "first"),
    "routes/b.yaml": tier("b", upstream.url, "first"),
  });
  await postern.deploy();
  fs.rmSync(path.join(root, "routes/b.yaml"));
  const outcome = await postern.deploy();
  expect(outcome.text).toContain("the front reaches these no more: gate-b-test");
  expect((await get("/b/which")).status).toBe(404);
  expect(cloud.control.account().workers.has("gate-b-test")).toBe(true);
  expect((await postern.deploy([], "100", true)).text).toContain("removed: gate-b-test");
  expect([...cloud.control.account().workers.keys()].sort()).toEqual(["gate-a-test", "postern-front-test"]);
  expect((await postern.deploy([], "100", true)).text).not.toContain("gate-b-test");
});

it("reads back that gates have no address, and does not split a tier that its zone enters", {
  timeout: 120_000,
}, async () => {
  const upstream = await service((_, response) => response.end("ok"));
  const zone = tier("z", upstream.url, "first", "entry: zone\n").replace(
    "hosts: [localhost]",
    "hosts: [z.acme.example]",
  );
  const { cloud, ...postern } = await town({
    "routes/environments/test.yaml": "front: { zones: [acme.example] }\n",
    "routes/a.yaml": tier("a", upstream.url, "first").replace("hosts: [localhost]", "hosts: [a.acme.example]"),
    "routes/z.yaml": zone,
  });
  await postern.deploy();
  await expect(postern.deploy(["z"], "10")).rejects.toThrow(/gate-z-test: a tier with `entry: zone` is not split/);
  expect(await asHost(`${cloud.edge}/z/which`, "z.acme.example")).toBe("first");
  await cloud.control.change("gate-a-test", { subdomain: { enabled: false, previews_enabled: true } });
  await expect(postern.deploy()).rejects.toThrow(
    /gate-a-test: npx wrangler triggers deploy -c .*gates\/a\/wrangler\.json/,
  );
});

it("a route is lifted before its tier's gate lets go of it", { timeout: 120_000 }, async () => {
  const upstream = await service((_, response) => response.end("ok"));
  const plain = tier("a", upstream.url, "first");
  const { cloud, edit, get, ...postern } = await town({ "routes/a.yaml": plain });
  await postern.deploy();
  edit("routes/a.yaml", plain.replace("to: it }", "to: it, isolation: route }"));
  await expect(postern.deploy(["a"])).rejects.toThrow(/npx postern deploy a front/);
  let going = true;
  const statuses: number[] = [];
  const client = (async () => {
    while (going) statuses.push((await get("/a/it")).status);
  })();
  expect((await postern.deploy()).done).toEqual({
    "gate-a--it-test": "created 100",
    "postern-front-test": "uploaded 100",
    "gate-a-test": "uploaded 100",
  });
  going = false;
  await client;
  expect(statuses.filter((status) => status !== 200)).toEqual([]);
  const at = (worker: string) => cloud.control.worker(worker).deployments[0]?.createdOn ?? "";
  const times = ["gate-a--it-test", "postern-front-test", "gate-a-test"].map(at);
  expect(times).toEqual(times.toSorted());
});

it("secrets come before the code that needs them, and are not rolled back with it", { timeout: 120_000 }, async () => {
  const seen: (string | undefined)[] = [];
  const upstream = await service((request, response) => {
    seen.push(request.headers.authorization);
    response.end("ok");
  });
  const secretive = "filters: [{ headers: { request: { set: { authorization: { secret: TOKEN } } } } }]\n";
  const { cloud, edit, get, ...postern } = await town({ "routes/a.yaml": tier("a", upstream.url, "first", secretive) });
  await expect(postern.deploy()).rejects.toThrow(/gate-a-test needs TOKEN: npx postern secrets set TOKEN/);
  expect(cloud.control.account().workers.size).toBe(0);
  await postern.secret("TOKEN", "value-one");
  await postern.deploy();
  await get("/a/it");
  edit("routes/a.yaml", tier("a", upstream.url, "second", secretive));
  await postern.deploy();
  await postern.secret("TOKEN", "value-two");
  // The edit of a secret has the code of the version before, so nothing has to be uploaded.
  expect(Object.values((await postern.deploy()).done)).toEqual(["unchanged 100", "unchanged 100"]);
  const first = cloud.control.worker("gate-a-test").versions.find(({ annotations }) => annotations["workers/tag"])?.id;
  await expect(postern.rollback("a", { to: first?.slice(0, 8) ?? "" })).rejects.toThrow(
    /a secret of gate-a-test has changed/,
  );
  await get("/a/it");
  await postern.rollback("a", { to: first ?? "", oldSecrets: true });
  await get("/a/it");
  expect(seen).toEqual(["value-one", "value-two", "value-one"]);
});

/** A tier whose tokens are verified with keys that the issuer publishes. */
const fetching = (name: string, edit: string, url: string) =>
  manifest(
    name,
    `filters: [{ jwt: { issuer: "${url}", audience: a, algorithms: [EdDSA], jwks: "${url}/jwks" } }]
routes: { which: { match: GET /which, respond: { status: 200, text: "${edit}" } } }
`,
  );

const cacheKeyIn = ({ bindings }: { readonly bindings: readonly object[] }): string | undefined =>
  (bindings as readonly { readonly name: string; readonly text?: string }[]).find(
    ({ name }) => name === "POSTERN_CACHE_KEY",
  )?.text;

it("makes a secret for each gate that keeps keys in the location's cache, once, and shows it nowhere", {
  timeout: 180_000,
}, async () => {
  const issuer = await service((_, response) => response.end('{"keys":[]}'));
  const before = tier("a", issuer.url, "first");
  const { cloud, root, edit, get, ...postern } = await town({
    "routes/a.yaml": before,
    "routes/b.yaml": fetching("b", "first", issuer.url),
    "routes/c.yaml": tier("c", issuer.url, "first"),
  });
  await postern.deploy();
  // As after an upgrade: the version that is live has none.
  edit("routes/a.yaml", fetching("a", "second", issuer.url));
  await postern.deploy(["a"], "25");
  edit("routes/a.yaml", fetching("a", "third", issuer.url));
  edit("routes/b.yaml", fetching("b", "second", issuer.url));
  const outcomes = [await postern.deploy()];
  const keysOf = (worker: string) => cloud.control.worker(worker).versions.map(cacheKeyIn);
  const [none, second, third] = keysOf("gate-a-test");
  expect([none, second]).toEqual([undefined, expect.stringMatching(/^[\w-]{43}$/)]);
  expect(third).toMatch(/^[\w-]{43}$/);
  const [b1, b2] = keysOf("gate-b-test");
  expect([b1, b2]).toEqual([b1, b1]);
  expect(b1).toMatch(/^[\w-]{43}$/);
  expect(new Set([second, b1]).size).toBe(2);
  for (const other of ["gate-c-test", "postern-front-test"]) expect(keysOf(other)).toEqual([undefined]);

  const options = { root, env: "test", target: cloud.api as string };
  const { secrets } = (await list(options)).data as { readonly secrets: readonly object[] };
  expect(secrets).toEqual(
    ["a", "b"].map((it) => ({
      secret: "POSTERN_CACHE_KEY",
      tier: it,
      worker: `gate-${it}-test`,
      set: true,
      generated: true,
    })),
  );
  await expect(postern.secret("POSTERN_CACHE_KEY", "mine")).rejects.toThrow(/nobody's to set/);

  // A way back to a version that had none brings no person's secret back, so nobody is asked.
  const [first] = cloud.control.worker("gate-a-test").versions;
  await postern.rollback("a", { to: first?.id ?? "" });
  expect((await get("/a/which")).text).toBe("first");
  outcomes.push(await postern.deploy(["a"]));
  expect((await get("/a/which")).status).toBe(401);
  const files = fs
    .readdirSync(path.join(root, ".build"), { recursive: true, encoding: "utf8" })
    .map((it) => path.join(root, ".build", it))
    .filter((it) => fs.statSync(it).isFile())
    .map((it) => fs.readFileSync(it, "utf8"));
  for (const value of [second, third, b1])
    for (const text of [...files, ...outcomes.map((it) => JSON.stringify(it))]) expect(text).not.toContain(value);
});

it("signs entries of consumers where the environment has a key, and uploads none that gates would refuse", {
  timeout: 120_000,
}, async () => {
  const id = "00000000000000000000000000000007";
  const upstream = await service((_, response) => response.end("ok"));
  const hash = createHash("sha256").update("coffee").digest("hex");
  const { cloud, root, edit, get, ...postern } = await town({
    "routes/environments/test.yaml": `kv: { consumers: "${id}" }\n`,
    "routes/a.yaml": tier("a", upstream.url, "first", "filters: [{ api-key: {} }]\n"),
    "routes/consumers.yaml": `consumers: { shop: { keys: ["sha256:${hash}"] } }\n`,
  });
  const { data } = consumersKey({ root, env: "test" });
  const { key } = data as { readonly key: string };
  const withKey = (it: string) =>
    edit("routes/environments/test.yaml", `kv: { consumers: "${id}" }\nconsumers: { key: ${it} }\n`);
  withKey("A".repeat(43));
  await expect(postern.deploy()).rejects.toThrow(
    /is another one than `consumers.key` of routes\/environments\/test.yaml/,
  );
  expect(cloud.control.account().workers.size).toBe(0);
  withKey(key);
  await postern.deploy();
  const asked = () => get("/a/it", { "x-api-key": "coffee" });
  expect((await asked()).text).toBe("ok");
  // Any gate could write what it likes.
  const forged = `/key%2F${createHash("sha256").update("eve").digest("hex")}?urlencoded=true`;
  await (await cloud.fleet.kv(id, forged, { method: "PUT", body: '{"id":"shop","labels":{}}' })).arrayBuffer();
  expect((await get("/a/it", { "x-api-key": "eve" })).status).toBe(503);
  // A key that is taken out of the file is refused, and so is what others wrote.
  edit("routes/consumers.yaml", `consumers: { other: { keys: ["sha256:${"0".repeat(64)}"] } }\n`);
  await postern.deploy(["consumers"]);
  for (const it of ["coffee", "eve"]) {
    const left = await cloud.fleet.kv(id, `/key%2F${createHash("sha256").update(it).digest("hex")}?urlencoded=true`);
    await left.arrayBuffer();
    expect(left.status).toBe(404);
  }
  const d = JSON.parse(fs.readFileSync(path.join(root, ".secrets/consumers-test.json"), "utf8")).d as string;
  for (const it of fs.readdirSync(path.join(root, ".build"), { recursive: true, encoding: "utf8" })) {
    const file = path.join(root, ".build", it);
    if (fs.statSync(file).isFile()) expect(fs.readFileSync(file, "utf8")).not.toContain(d);
  }
});

it("takes out of an unsigned namespace what it wrote and what has left the file", { timeout: 120_000 }, async () => {
  const id = "00000000000000000000000000000007";
  const hashed = (key: string) => createHash("sha256").update(key).digest("hex");
  const people = (...keys: readonly string[]) =>
    `consumers: { shop: { keys: [${keys.map((it) => `"sha256:${hashed(it)}"`).join(", ")}] } }\n`;
  const { cloud, root, edit, ...postern } = await town({
    "routes/environments/test.yaml": `kv: { consumers: "${id}" }\n`,
    "routes/a.yaml": tier("a", "http://localhost:9", "first", "filters: [{ api-key: {} }]\n"),
    "routes/consumers.yaml": people("coffee", "tea"),
  });
  await postern.deploy(["consumers"]);
  edit("routes/consumers.yaml", people("coffee"));
  await postern.deploy(["consumers"]);
  // Who is logged in by wrangler has no token in the shell.
  const { CLOUDFLARE_ACCOUNT_ID: _, ...variables } = targetOf(cloud.api).variables;
  const namespace = namespaceOf({ name: "cloudflare", variables }, id, root);
  expect(await namespace.names("")).toEqual([`key/${hashed("coffee")}`, "postern/consumers/test"]);
  expect(JSON.parse(await namespace.read("postern/consumers/test"))).toEqual([`key/${hashed("coffee")}`]);
  fs.rmSync(path.join(root, "routes/consumers.yaml"));
  await postern.deploy(["consumers"]);
  expect(await namespace.names("key/")).toHaveLength(1);
});

it.each([
  ["a tier that is not there", ["opn"], { message: /there is no tier "opn"/ }],
  ["a split that is none", ["a"], { split: "101", message: /--split takes 0 to 100/ }],
  ["a target that is none", ["a"], { target: "elsewhere", message: /--target takes cloudflare, local/ }],
  ["a target on another machine", ["a"], { target: "http://10.0.0.1:80", message: /--target takes/ }],
  ["a cloud that does not run", ["a"], { target: "http://127.0.0.1:9", message: /start the local cloud/ }],
])("%s is said before anything is done", async (_, tiers, { message, ...given }) => {
  const root = project({
    "routes/environments/test.yaml": environment,
    "routes/a.yaml": tier("a", "http://localhost:9", "x"),
  });
  const options = { root, env: "test", target: "http://127.0.0.1:9", split: "100", ...given };
  await expect(deploy(tiers, options)).rejects.toThrow(message);
});
