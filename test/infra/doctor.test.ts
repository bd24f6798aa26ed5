/** What `postern doctor` prints where something is missing. A golden file is read when it changes; `UPDATE_GOLDEN=1` writes it. */
import fs from "node:fs";
import path from "node:path";
import { expect, it, onTestFinished, vi } from "vitest";
import { accountId } from "../../infra/cloud/account/access.ts";
import type { PermissionName } from "../../infra/cloud/account/permission-groups.ts";
import { zoneId } from "../../infra/cloud/account/zone-id.ts";
import { doctor } from "../../infra/commands/release/doctor.ts";
import { publishedKeys } from "../../infra/release/sample-keys.ts";
import { variablesOf } from "../../infra/release/target.ts";
import { type AccountApi, createToken, startAccountApi } from "../cloud/account-api.ts";
import { uploadForm } from "../cloud/api-client.ts";
import { postern, quietly } from "../command-line.ts";
import { type Files, writeProject } from "../e2e/project.ts";

const update = process.env.UPDATE_GOLDEN === "1" && !process.env.CI;

const environment = `values: { api-host: api.acme.example }
kv: { consumers: "${"ab".repeat(16)}" }
control:
  host: control.acme.example
  key: 11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo
  account: "${accountId}"
  operators: { ann: { key: 3p7bfXt9wbTTW2HC7OQ1Nz-DQ8hbeGdNrfx-FG-IK08, role: admin } }
`;
const manifest = `api: postern/v1
tier: pay
hosts: ["\${api-host}"]
base: /pay
filters:
  - api-key: { header: x-api-key }
  - headers: { request: { set: { authorization: { secret: PAY_TOKEN } } } }
upstreams: { pay: { http: https://pay.acme.example } }
routes: { all: { match: "GET /{rest*}", to: pay } }
`;
const files: Files = {
  "routes/environments/staging.yaml": environment,
  "routes/pay.yaml": manifest,
  "routes/consumers.yaml": "consumers: {}\n",
};

/** Those of a token for CI, by the docs. */
const least: readonly PermissionName[] = [
  "Workers Scripts Write",
  "Workers KV Storage Write",
  "Workers Routes Write",
  "Zone Read",
  "Zone Transform Rules Write",
];
const all: readonly PermissionName[] = [
  ...least,
  ...(["API Tokens Read", "Billing Read", "DNS Read", "SSL and Certificates Read"] as const),
];
const without = (...names: readonly PermissionName[]) => all.filter((it) => !names.includes(it));

const account = `/accounts/${accountId}`;
const zone = zoneId("acme.example");
const secrets = [
  ["gate-pay-staging", "PAY_TOKEN"],
  ["postern-control-staging", "CONTROL_KEY"],
  ["postern-actuator-staging", "CLOUDFLARE_API_TOKEN"],
] as const;

const upload = ({ call }: AccountApi, worker: string) =>
  call("PUT", `${account}/workers/scripts/${worker}`, uploadForm("export default { fetch() {} }"));

/** An account that lacks nothing. */
const prepare = async (cloud: AccountApi): Promise<void> => {
  const { call } = cloud;
  await call("GET", "/zones?name=acme.example");
  for (const name of ["api.acme.example", "control.acme.example"])
    await call("POST", `/zones/${zone}/dns_records`, { type: "AAAA", name, content: "100::", proxied: true });
  await call("POST", `${account}/storage/kv/namespaces`, { title: "consumers-staging", id: "ab".repeat(16) });
  for (const [worker, name] of secrets) {
    await upload(cloud, worker);
    await call("PUT", `${account}/workers/scripts/${worker}/secrets`, { name, type: "secret_text", text: "x" });
  }
};

interface Case {
  /** Permission groups of the token; by default all that the doctor reads with. */
  readonly groups?: readonly PermissionName[];
  readonly token?: string;
  readonly more?: { readonly zones?: string; readonly expires_on?: string };
  readonly files?: Files;
  /** Changes the account. */
  readonly change?: (cloud: AccountApi) => Promise<unknown>;
  readonly aheadMs?: number;
  readonly exitCode?: 0;
}

const dnsRecords = async ({ call }: AccountApi) =>
  (await call("GET", `/zones/${zone}/dns_records`)).result as readonly { readonly id: string; readonly name: string }[];

const cases: Readonly<Record<string, Case>> = {
  "all is there": { exitCode: 0 },
  "a token with the least permissions": { groups: least, exitCode: 0 },
  "a token that the platform does not know": { token: "of-somebody-else" },
  "a token that has expired": { more: { expires_on: "2020-01-01T00:00:00Z" } },
  "no permission for Workers": { groups: without("Workers Scripts Write", "API Tokens Read") },
  "no permission for KV": { groups: without("Workers KV Storage Write", "API Tokens Read") },
  "no permission for routes": { groups: without("Workers Routes Write", "API Tokens Read") },
  "no permission for Transform Rules": { groups: without("Zone Transform Rules Write", "API Tokens Read") },
  "a token that reads and does not write": {
    groups: [
      ...without("Workers Scripts Write", "Workers Routes Write"),
      "Workers Scripts Read",
      "Workers Routes Read",
    ],
  },
  "a token of another zone": {
    more: { zones: `com.cloudflare.api.account.zone.${zoneId("other.example")}` },
  },
  "a route of another Worker": {
    change: async (cloud) => {
      await upload(cloud, "old-gateway");
      await cloud.call("POST", `/zones/${zone}/workers/routes`, {
        pattern: "api.acme.example/*",
        script: "old-gateway",
      });
    },
  },
  "a DNS record that is not there, and one that is not proxied": {
    change: async (cloud) => {
      for (const { id } of await dnsRecords(cloud)) await cloud.call("DELETE", `/zones/${zone}/dns_records/${id}`);
      const record = { type: "A", name: "control.acme.example", content: "192.0.2.1" };
      await cloud.call("POST", `/zones/${zone}/dns_records`, record);
    },
  },
  "a KV namespace that is not there, and a placeholder": {
    files: {
      "routes/environments/staging.yaml": environment.replace(
        /kv: .*/,
        `kv: { consumers: "${"cd".repeat(16)}", feed: "${"0".repeat(32)}" }`,
      ),
    },
  },
  "a key that everybody knows": {
    files: {
      "routes/environments/staging.yaml": environment.replace(/ key: 11q\w+/, ` key: ${publishedKeys[1]}`),
    },
  },
  "a secret that is not set": {
    change: (cloud) => cloud.call("DELETE", `${account}/workers/scripts/gate-pay-staging/secrets/PAY_TOKEN`),
  },
  "a clock that is ahead": { aheadMs: 90_000 },
  "a host that the certificate does not cover": {
    files: { "routes/environments/staging.yaml": environment.replace("api.acme", "eu.api.acme") },
    change: (cloud) =>
      cloud.call("POST", `/zones/${zone}/dns_records`, {
        ...{ type: "CNAME", name: "*.api.acme.example", content: "api.acme.example", proxied: true },
      }),
  },
  "a zone with a thousand routes": {
    change: async (cloud) => {
      await upload(cloud, "old-gateway");
      const routes = Array.from({ length: 1000 }, (_, at) => ({
        pattern: `api.acme.example/old/${at}`,
        zone_name: "acme.example",
      }));
      await cloud.call("PUT", `${account}/workers/scripts/old-gateway/routes`, routes);
    },
  },
  "another account, and a manifest with a problem": {
    files: {
      "routes/environments/staging.yaml": environment.replace(accountId, "f".repeat(32)),
      "routes/broken.yaml": "api: postern/v1\ntier: broken\n",
    },
  },
};

const goldenFile = (name: string): string =>
  path.resolve(import.meta.dirname, "../golden/doctor", `${name.replaceAll(/[^a-z]+/gi, "-")}.txt`);

it.each(Object.keys(cases))("%s", async (name) => {
  const { groups = all, token, more, files: changed, change, aheadMs = 0, exitCode = 1 } = cases[name] as Case;
  const cloud = await startAccountApi();
  await prepare(cloud);
  await change?.(cloud);
  const value = token ?? (await createToken(cloud, groups, more)).value;
  const root = writeProject({ ...files, ...changed });
  const before = cloud.calls.length;
  const target = { name: "cloudflare", variables: variablesOf(cloud.api, value) } as const;
  const now = () => Date.now() + aheadMs;
  const outcome = await quietly(() => doctor({ root, env: "staging", target, now }));
  const text = `$ npx postern doctor --env staging\n${outcome.text}`;
  if (update) fs.writeFileSync(goldenFile(name), text);
  expect(text).toBe(fs.readFileSync(goldenFile(name), "utf8"));
  expect(outcome.exitCode).toBe(exitCode);
  expect(text).not.toContain(value);
  // It only reads, and all that it reads is an address of the API.
  const calls = cloud.calls.slice(before);
  expect(calls.filter(({ method, unknown }) => method !== "GET" || unknown)).toEqual([]);
});

it("on a local cloud says what a deploy does there, and looks for no DNS record", async () => {
  const { api } = await startAccountApi();
  const local = `${environment.replace("api.acme.example", "localhost").replace("control.acme.example", "control.localhost")}dev:
  secrets: { PAY_TOKEN: x, CONTROL_KEY: x, CLOUDFLARE_API_TOKEN: x }
`;
  const root = writeProject({ ...files, "routes/environments/local.yaml": local });
  const { code, out } = await postern(["doctor", "--target", api, "--root", root]);
  expect([code, out]).toEqual([0, expect.stringMatching(/^local on local: \d+ ok, 0 missing, 0 not provable\n/)]);
  expect(out).not.toMatch(/DNS|certificate/);
});

it("says what the shell has to have, where it has no token", async () => {
  for (const name of ["CLOUDFLARE_API_TOKEN", "CLOUDFLARE_ACCOUNT_ID"]) vi.stubEnv(name, "");
  onTestFinished(() => void vi.unstubAllEnvs());
  const { code, err } = await postern(["doctor", "--env", "staging", "--root", writeProject(files)]);
  expect([code, err]).toEqual([3, expect.stringMatching(/no CLOUDFLARE_API_TOKEN and.*docs\/deploy.md#tokens/s)]);
});

it("has no golden file without a case", () => {
  const known = Object.keys(cases).map((name) => path.basename(goldenFile(name)));
  expect(fs.readdirSync(path.dirname(goldenFile("x"))).sort()).toEqual(known.sort());
});
