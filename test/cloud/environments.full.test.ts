/** Two environments on one local cloud: their Workers, KV namespaces, secrets, state and releases are apart. */
import http from "node:http";
import { text } from "node:stream/consumers";
import { expect, it } from "vitest";
import { deploy } from "../../infra/commands/release/deploy.ts";
import { rollback } from "../../infra/commands/release/rollback.ts";
import { list, set } from "../../infra/commands/release/secrets.ts";
import { quietly } from "../command-line.ts";
import { runService } from "../e2e/project.ts";
import { deployHarness } from "./deploy-harness.ts";

const environment = (host: string, id: string) =>
  `values: { api-host: ${host} }\nkv: { consumers: "${id.repeat(32)}" }\n`;

const manifest = (url: string, edit: string) => `api: postern/v1
tier: a
hosts: ["\${api-host}"]
base: /a
filters:
  - headers: { request: { set: { authorization: { secret: IT_TOKEN } } } }
  - rate-limit: { limit: 3/day, by: ip, count: exact }
upstreams: { it: { http: "${url}" } }
routes:
  it: { match: GET /it, to: it }
  which: { match: GET /which, respond: { status: 200, text: "${edit}" }, without: [rate-limit, headers] }
  keyed: { match: GET /keyed, to: it, filters: [api-key: { header: x-api-key }] }
`;

const get = (edge: string, host: string, path: string) =>
  new Promise<readonly [status: number | undefined, body: string]>((resolve, reject) => {
    const answered = async (response: http.IncomingMessage) => resolve([response.statusCode, await text(response)]);
    http.get(`${edge}${path}`, { headers: { host } }, answered).on("error", reject);
  });

it("share nothing, and a secret is set where the target and the environment say", async () => {
  const { url } = await runService((request, response) => response.end(request.headers.authorization));
  const { cloud, options, edit } = await deployHarness({
    "routes/environments/local.yaml": environment("local.example", "1"),
    "routes/environments/staging.yaml": environment("staging.example", "2"),
    "routes/a.yaml": manifest(url, "first"),
  });
  const at = (env: string) => ({ ...options, env });
  const run = (env: string) => quietly(() => deploy([], { ...at(env), split: "100" }));
  const setSecret = (env: string, value: string) => set("IT_TOKEN", at(env), async () => value);
  const ask = (env: string, path: string) => get(cloud.edge, `${env}.example`, path);

  // Nothing is deployed yet: the file has it for the deploy.
  expect((await setSecret("local", "one")).text).toBe(
    "set IT_TOKEN for a in local: in .secrets/local.json, for the dev loop and the next upload; not yet deployed: gate-a-local\n",
  );
  expect((await setSecret("staging", "two")).text).toBe(
    "set IT_TOKEN for a in staging: in gate-a-staging on the local cloud\n",
  );
  for (const env of ["local", "staging"]) expect([env, (await run(env)).exitCode]).toEqual([env, 0]);
  expect(await Promise.all([ask("local", "/a/it"), ask("staging", "/a/it")])).toEqual([
    [200, "one"],
    [200, "two"],
  ]);
  // The deployed Worker has the new value at once, and the file has it for the next deploy.
  expect((await setSecret("local", "three")).text).toBe(
    "set IT_TOKEN for a in local: in .secrets/local.json, for the dev loop and the next upload, and in gate-a-local on the local cloud\n",
  );
  expect(await Promise.all([ask("local", "/a/it"), ask("staging", "/a/it")])).toEqual([
    [200, "three"],
    [200, "two"],
  ]);
  expect((await list(at("local"))).exitCode).toBe(0);

  // A limit that is used up in one environment is not in the other; a release and its rollback neither.
  await ask("local", "/a/it");
  expect((await Promise.all([ask("local", "/a/it"), ask("staging", "/a/it")])).map(([status]) => status)).toEqual([
    429, 200,
  ]);
  edit("routes/a.yaml", manifest(url, "second"));
  await run("staging");
  const which = async () => [(await ask("local", "/a/which"))[1], (await ask("staging", "/a/which"))[1]];
  expect(await which()).toEqual(["first", "second"]);
  await run("local");
  await rollback("a", { ...at("staging") });
  expect(await which()).toEqual(["second", "first"]);
  expect((await ask("local", "/a/it"))[0]).toBe(429);
});
