/** The dev loop after an edit: secrets that it generates stay, and a removed key opens nothing. */
import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import { secretBindings } from "../../infra/cloud/account/bindings.ts";
import { compile } from "../../infra/compiler/compile.ts";
import { emit } from "../../infra/compiler/emit/emit.ts";
import { applyState } from "../../infra/dev/apply.ts";
import { manifest, runProject, runService } from "./project.ts";

it("the dev loop gives each gate a secret of its own for the location's cache, and an edit keeps it", async () => {
  const upstream = await runService((_, response) => response.end("{}"));
  const body = (
    text: string,
  ) => `filters: [{ jwt: { issuer: "${upstream.url}", audience: a, algorithms: [EdDSA], jwks: "${upstream.url}/jwks" } }]
routes: { it: { match: GET /it, respond: { status: 200, text: ${text} } } }
`;
  const { cloud, root } = await runProject({
    "routes/a.yaml": manifest("a", body("one")),
    "routes/b.yaml": manifest("b", body("one")),
  });
  const keys = (worker: string) =>
    cloud.control
      .worker(worker)
      .versions.map(({ bindings }) => secretBindings(bindings).find(({ name }) => name === "POSTERN_CACHE_KEY")?.text);
  const [a, b] = [keys("gate-a-local")[0], keys("gate-b-local")[0]];
  for (const it of [a, b]) expect(it).toMatch(/^[\w-]{43}$/);
  expect(a).not.toBe(b);
  fs.writeFileSync(path.join(root, "routes/a.yaml"), manifest("a", body("two")));
  const next = compile(root, "local");
  const emitted = await emit(root, next);
  await applyState(cloud, { emitted, extraWorkers: {}, consumers: [], namespaces: {}, secrets: {}, split: 100 });
  expect([keys("gate-a-local"), keys("gate-b-local")]).toEqual([[a, a], [b]]);
});

it("an API key that has left consumers.yaml opens nothing after the next edit", async () => {
  const hashed = (key: string) => `"sha256:${createHash("sha256").update(key).digest("hex")}"`;
  const { cloud, root, url } = await runProject({
    "routes/environments/local.yaml": 'kv: { consumers: "00000000000000000000000000000001" }\n',
    "routes/consumers.yaml": `consumers: { shop: { keys: [${hashed("coffee")}, ${hashed("tea")}] } }\n`,
    "routes/a.yaml": manifest(
      "a",
      "filters: [{ api-key: {} }]\nroutes: { it: { match: GET /it, respond: { status: 200, text: ok } } }\n",
    ),
  });
  const status = async (key: string) => (await fetch(`${url}/a/it`, { headers: { "x-api-key": key } })).status;
  expect([await status("coffee"), await status("tea")]).toEqual([200, 200]);
  fs.writeFileSync(path.join(root, "routes/consumers.yaml"), `consumers: { shop: { keys: [${hashed("coffee")}] } }\n`);
  const next = compile(root, "local");
  const { consumers, environment } = next;
  const namespaces = environment.value.kv;
  await applyState(cloud, {
    emitted: await emit(root, next),
    extraWorkers: {},
    consumers,
    namespaces,
    secrets: {},
    split: 100,
  });
  expect([await status("coffee"), await status("tea")]).toEqual([200, 401]);
});
