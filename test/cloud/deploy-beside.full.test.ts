/**
 * What `postern deploy` does beside uploading code: removal of old gates, checks of open addresses, secrets,
 * generated keys, consumers.
 */
import { createHash } from "node:crypto";
import { once } from "node:events";
import fs from "node:fs";
import http from "node:http";
import path from "node:path";
import { text } from "node:stream/consumers";
import { expect, it } from "vitest";
import { consumersKey, list } from "../../infra/commands/release/secrets.ts";
import { kvNamespace } from "../../infra/release/consumers/kv.ts";
import { manifest, runService } from "../e2e/project.ts";
import { deployHarness, tier } from "./deploy-harness.ts";

/** `fetch` sets the Host header itself. */
const asHost = async (url: string, host: string): Promise<string> => {
  const [response] = (await once(http.get(url, { headers: { host } }), "response")) as [http.IncomingMessage];
  return text(response);
};

it("a tier that has gone leaves a gate, which --prune deletes", async () => {
  const upstream = await runService((_, response) => response.end("ok"));
  const { cloud, root, get, ...postern } = await deployHarness({
    "routes/a.yaml": tier("a", upstream.url, "first"),
    "routes/b.yaml": tier("b", upstream.url, "first"),
  });
  await postern.deploy();
  fs.rmSync(path.join(root, "routes/b.yaml"));
  const outcome = await postern.deploy();
  expect(outcome.text).toContain("the front no longer reaches: gate-b-test");
  expect((await get("/b/which")).status).toBe(404);
  expect(cloud.control.account().workers.has("gate-b-test")).toBe(true);
  expect((await postern.deploy([], "100", true)).text).toContain("removed: gate-b-test");
  expect([...cloud.control.account().workers.keys()].sort()).toEqual(["gate-a-test", "postern-front-test"]);
  expect((await postern.deploy([], "100", true)).text).not.toContain("gate-b-test");
});

it("reads back that gates have no address, and does not split a tier that its zone enters", async () => {
  const upstream = await runService((_, response) => response.end("ok"));
  const zone = tier("z", upstream.url, "first", "entry: zone\n").replace(
    "hosts: [localhost]",
    "hosts: [z.acme.example]",
  );
  const { cloud, ...postern } = await deployHarness({
    "routes/environments/test.yaml": "front: { zones: [acme.example] }\n",
    "routes/a.yaml": tier("a", upstream.url, "first").replace("hosts: [localhost]", "hosts: [a.acme.example]"),
    "routes/z.yaml": zone,
  });
  await postern.deploy();
  await expect(postern.deploy(["z"], "10")).rejects.toThrow(/gate-z-test: a tier with `entry: zone` cannot be split/);
  expect(await asHost(`${cloud.edge}/z/which`, "z.acme.example")).toBe("first");
  await cloud.control.changeSettings("gate-a-test", { subdomain: { enabled: false, previews_enabled: true } });
  await expect(postern.deploy()).rejects.toThrow(
    /gate-a-test: npx wrangler triggers deploy -c .*gates\/a\/wrangler\.json/,
  );
});

it("secrets come before the code that needs them, and are not rolled back with it", async () => {
  const seen: (string | undefined)[] = [];
  const upstream = await runService((request, response) => {
    seen.push(request.headers.authorization);
    response.end("ok");
  });
  const secretive = "filters: [{ headers: { request: { set: { authorization: { secret: TOKEN } } } } }]\n";
  const { cloud, edit, get, ...postern } = await deployHarness({
    "routes/a.yaml": tier("a", upstream.url, "first", secretive),
  });
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

it("makes a secret for each gate that keeps keys in the location's cache, once, and shows it nowhere", async () => {
  const issuer = await runService((_, response) => response.end('{"keys":[]}'));
  const before = tier("a", issuer.url, "first");
  const { cloud, root, edit, get, ...postern } = await deployHarness({
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

  const { secrets } = (await list(postern.options)).data as { readonly secrets: readonly object[] };
  expect(secrets).toEqual(
    ["a", "b"].map((it) => ({
      secret: "POSTERN_CACHE_KEY",
      tier: it,
      worker: `gate-${it}-test`,
      set: true,
      generated: true,
    })),
  );
  await expect(postern.secret("POSTERN_CACHE_KEY", "mine")).rejects.toThrow(/POSTERN_CACHE_KEY cannot be set/);

  // A way back to a version that had none brings no person's secret back, so no confirmation is needed.
  const [first] = cloud.control.worker("gate-a-test").versions;
  await postern.rollback("a", { to: first?.id ?? "" });
  expect((await get("/a/which")).text).toBe("first");
  outcomes.push(await postern.deploy(["a"], "100", undefined, true));
  expect((await get("/a/which")).status).toBe(401);
  const files = fs
    .readdirSync(path.join(root, ".build"), { recursive: true, encoding: "utf8" })
    .map((it) => path.join(root, ".build", it))
    .filter((it) => fs.statSync(it).isFile())
    .map((it) => fs.readFileSync(it, "utf8"));
  for (const value of [second, third, b1])
    for (const text of [...files, ...outcomes.map((it) => JSON.stringify(it))]) expect(text).not.toContain(value);
});

it("signs entries of consumers where the environment has a key, and uploads none that gates would refuse", async () => {
  const id = "00000000000000000000000000000007";
  const upstream = await runService((_, response) => response.end("ok"));
  const hash = createHash("sha256").update("coffee").digest("hex");
  const { cloud, root, edit, get, ...postern } = await deployHarness({
    "routes/environments/test.yaml": `kv: { consumers: "${id}" }\n`,
    "routes/a.yaml": tier("a", upstream.url, "first", "filters: [{ api-key: {} }]\n"),
    "routes/consumers.yaml": `consumers: { shop: { keys: ["sha256:${hash}"] } }\n`,
  });
  const { data } = consumersKey({ root, env: "test" });
  const { key } = data as { readonly key: string };
  const withKey = (it: string) =>
    edit("routes/environments/test.yaml", `kv: { consumers: "${id}" }\nconsumers: { key: ${it} }\n`);
  withKey("A".repeat(43));
  await expect(postern.deploy()).rejects.toThrow(/does not match `consumers.key` of routes\/environments\/test.yaml/);
  expect(cloud.control.account().workers.size).toBe(0);
  withKey(key);
  await postern.deploy();
  const request = () => get("/a/it", { "x-api-key": "coffee" });
  expect((await request()).text).toBe("ok");
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

it("takes out of an unsigned namespace what it wrote and what has left the file", async () => {
  const id = "00000000000000000000000000000007";
  const hashed = (key: string) => createHash("sha256").update(key).digest("hex");
  const people = (...keys: readonly string[]) =>
    `consumers: { shop: { keys: [${keys.map((it) => `"sha256:${hashed(it)}"`).join(", ")}] } }\n`;
  const { cloud, root, edit, ...postern } = await deployHarness({
    "routes/environments/test.yaml": `kv: { consumers: "${id}" }\n`,
    "routes/a.yaml": tier("a", "http://localhost:9", "first", "filters: [{ api-key: {} }]\n"),
    "routes/consumers.yaml": people("coffee", "tea"),
  });
  await postern.deploy(["consumers"]);
  edit("routes/consumers.yaml", people("coffee"));
  await postern.deploy(["consumers"]);
  const namespace = kvNamespace(postern.options.target, id, root);
  expect(await namespace.names("")).toEqual([`key/${hashed("coffee")}`, "postern/consumers/test"]);
  expect(JSON.parse(await namespace.read("postern/consumers/test"))).toEqual([`key/${hashed("coffee")}`]);
  fs.rmSync(path.join(root, "routes/consumers.yaml"));
  await postern.deploy(["consumers"]);
  expect(await namespace.names("key/")).toHaveLength(1);
});
