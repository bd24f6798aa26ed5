/** Keys of the control plane: made, written into the environment, and sample ones refused where others can reach them. */

import fs from "node:fs";
import path from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { parse } from "yaml";
import { accountId, localToken } from "../../infra/cloud/account/access.ts";
import { compile } from "../../infra/compiler/compile.ts";
import { compiledAt } from "../../infra/release/at-target.ts";
import { controlClient } from "../../infra/release/control-client.ts";
import { assertOwnKeys, publishedKeys, unfitFor } from "../../infra/release/sample-keys.ts";
import { targetOf } from "../../infra/release/target.ts";
import { startAccountApi } from "../cloud/account-api.ts";
import { postern } from "../command-line.ts";
import { type Files, manifest, writeProject } from "../e2e/project.ts";

const samples = path.resolve(import.meta.dirname, "../../routes/environments/local.yaml");

const tier = manifest("t", "routes: { a: { match: GET /a, respond: { status: 204 } } }\n").replace(
  "localhost",
  "api.acme.example",
);
const staging = "# Ours.\nvalues: {}   # none yet\n";
const project = (files: Files = {}) =>
  writeProject({ "routes/t.yaml": tier, "routes/environments/staging.yaml": staging, ...files });
const account = "0123456789abcdef0123456789abcdef";
const at = (root: string, env = "staging") => ["--env", env, "--root", root];
const init = (root: string, ...more: readonly string[]) =>
  postern(["control", "init", ...at(root), "--account", account, "--operator", "ann", ...more]);
const read = (root: string, file: string) => fs.readFileSync(path.join(root, file), "utf8");
const environmentOf = (root: string, env = "staging") => compile(root, env).environment;
const secretFiles = (root: string) => fs.readdirSync(path.join(root, ".secrets")).sort();

describe("postern control init", () => {
  it("writes the section below everything else, and the private keys where git does not look", async () => {
    const root = project();
    const { code, out } = await init(root);
    expect([code, out]).toEqual([
      0,
      expect.stringContaining("control at control-staging.acme.example, and ann as its admin"),
    ]);
    expect(read(root, "routes/environments/staging.yaml").startsWith(staging)).toBe(true);
    const { control } = environmentOf(root).value;
    expect(control).toMatchObject({
      host: "control-staging.acme.example",
      account,
      operators: { ann: { role: "admin" } },
    });
    expect(compile(root, "staging").problems).toEqual([]);
    expect(secretFiles(root)).toEqual([".gitignore", "control-staging.json", "operator-ann-staging.json"]);
    expect(read(root, ".secrets/.gitignore")).toBe("*\n");
    const pair = JSON.parse(read(root, ".secrets/control-staging.json"));
    expect(pair.x).toBe(control?.key);
    expect(out + read(root, "routes/environments/staging.yaml")).not.toContain(pair.d);
    expect(fs.statSync(path.join(root, ".secrets/control-staging.json")).mode & 0o777).toBe(0o600);
    // What it says next: the operator's client finds the key, and every other secret is named.
    expect(out).toContain("npx postern secrets set CONTROL_KEY --env staging < .secrets/control-staging.json");
    expect(controlClient(root, environmentOf(root), targetOf("cloudflare"), undefined).operator).toBe("ann");
    const again = await init(root);
    expect([again.code, again.err]).toEqual([3, expect.stringContaining("npx postern operator add <name>")]);
    expect((await postern(["control", "init", "--rotate", ...at(root)])).code).toBe(0);
    const rotated = environmentOf(root).value.control;
    expect(rotated).toEqual({ ...control, key: rotated?.key });
    expect(rotated?.key).not.toBe(control?.key);
    expect(JSON.parse(read(root, ".secrets/control-staging.json")).x).toBe(rotated?.key);
  });

  it("has a host of its own in each environment of a zone", async () => {
    const root = project({ "routes/environments/production.yaml": staging });
    for (const env of ["staging", "production"])
      expect((await postern(["control", "init", ...at(root, env), "--account", account])).code).toBe(0);
    expect(["staging", "production"].map((env) => environmentOf(root, env).value.control?.host)).toEqual([
      "control-staging.acme.example",
      "control.acme.example",
    ]);
  });

  it("is written for Cloudflare, and calls a local cloud where it is deployed to one", async () => {
    const root = project();
    await init(root);
    const controlAt = (target: string) =>
      compiledAt(compile(root, "staging"), targetOf(target)).environment.value.control;
    expect(controlAt("cloudflare")).toMatchObject({ api: "https://api.cloudflare.com/client/v4", account });
    expect(controlAt("http://127.0.0.1:9999")).toEqual({
      ...controlAt("cloudflare"),
      api: "http://127.0.0.1:9999",
      front: "http://localhost:8800/cdn-cgi/host/{host}",
      account: accountId,
    });
    // What the file says of a local cloud itself is kept.
    await postern(["control", "init", ...at(root, "local"), "--operator", "ann"]);
    const local = compile(root, "local");
    expect(compiledAt(local, targetOf("http://127.0.0.1:9999")).environment.value).toEqual(local.environment.value);
  });

  it("in the dev loop's environment sets the secret, and takes the local cloud's addresses", async () => {
    const root = project();
    expect((await postern(["control", "init", ...at(root, "local"), "--operator", "ann"])).code).toBe(0);
    const { control } = environmentOf(root, "local").value;
    expect(control).toMatchObject({ host: "control.localhost", api: "http://localhost:8799" });
    expect(JSON.parse(JSON.parse(read(root, ".secrets/local.json")).CONTROL_KEY).x).toBe(control?.key);
    expect(JSON.parse(read(root, ".secrets/local.json")).CLOUDFLARE_API_TOKEN).toBe(localToken);
  });

  it.each([
    [["--host", "Control.acme.example/"], /takes no `control:` with the host/],
    [["--operator", "../../ann"], /a name is lower case letters/],
    [["--account", "acme"], /the account acme/],
  ])("%j leaves the file as it is", async (args, said) => {
    const root = project();
    const { code, err } = await init(root, ...args);
    expect([code, err, read(root, "routes/environments/staging.yaml")]).toEqual([
      3,
      expect.stringMatching(said),
      staging,
    ]);
  });

  it("says where the account's id is from, if nothing names it", async () => {
    vi.stubEnv("CLOUDFLARE_ACCOUNT_ID", "");
    onTestFinished(() => void vi.unstubAllEnvs());
    const { code, err } = await postern(["control", "init", ...at(project())]);
    expect([code, err]).toEqual([3, expect.stringContaining("npx wrangler whoami")]);
  });
});

describe("postern operator add", () => {
  it("adds one line, rotates a key, and keeps the one before until control is deployed", async () => {
    const root = project();
    await init(root);
    const before = read(root, "routes/environments/staging.yaml");
    const added = await postern(["operator", "add", "ci", "--role", "viewer", ...at(root)]);
    expect([added.code, added.out]).toEqual([0, expect.stringContaining("OPERATOR_CI")]);
    const { ci, ann } = environmentOf(root).value.control?.operators ?? {};
    expect([ci?.role, ann?.role]).toEqual(["viewer", "admin"]);
    const lines = read(root, "routes/environments/staging.yaml").split("\n");
    expect(lines.filter((line) => !before.split("\n").includes(line))).toHaveLength(1);
    expect((await postern(["operator", "add", "ci", ...at(root)])).err).toContain("--rotate gives ci a new key");
    expect((await postern(["operator", "add", "bob", "--rotate", ...at(root)])).err).toContain("no operator bob");
    expect((await postern(["operator", "add", "ci", "--rotate", ...at(root)])).code).toBe(0);
    const after = environmentOf(root).value.control?.operators;
    expect([after?.ci?.role, after?.ci?.key === ci?.key, after?.ann]).toEqual(["viewer", false, ann]);
    // Repeated before a deploy, as after an interruption: the deployed key is among those that are kept.
    expect((await postern(["operator", "add", "ci", "--rotate", ...at(root)])).code).toBe(0);
    const kept = fs.readdirSync(path.join(root, ".secrets")).filter((it) => /^operator-ci-.*\.old\.json$/.test(it));
    expect(kept.map((it) => JSON.parse(read(root, `.secrets/${it}`)).x).sort()).toEqual(
      [after?.ci?.key, ci?.key].sort(),
    );
  });

  it("takes the public key of a pair that the operator has made, and writes no private one", async () => {
    const root = project();
    await init(root);
    const key = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    expect((await postern(["operator", "add", "eve", "--key", key, ...at(root)])).code).toBe(0);
    expect(environmentOf(root).value.control?.operators.eve?.key).toBe(key);
    expect(secretFiles(root)).not.toContain("operator-eve-staging.json");
  });

  it("prints the line where the file has operators in another form, and changes nothing", async () => {
    const control = `control: { host: control.acme.example, key: ${"A".repeat(43)}, account: "${account}", operators: {} }\n`;
    const root = project({ "routes/environments/staging.yaml": control });
    const { code, err } = await postern(["operator", "add", "ann", ...at(root)]);
    expect([code, err]).toEqual([
      1,
      expect.stringMatching(/add this to control.operators.+ann: \{ key: \S+, role: operator \}/s),
    ]);
    expect(read(root, "routes/environments/staging.yaml")).toBe(control);
  });
});

describe("a key whose private half is public", () => {
  /** The samples' keys in an environment with hosts of its own. */
  const copied = (): string => {
    const { control, consumers } = parse(fs.readFileSync(samples, "utf8"));
    return JSON.stringify({ control: { ...control, host: "control.acme.example" }, consumers });
  };

  it("is known: all of Postern's samples", () => {
    const { control, consumers } = parse(fs.readFileSync(samples, "utf8"));
    const operators = Object.values(control.operators as Record<string, { key: string }>).map(({ key }) => key);
    expect([...publishedKeys].sort()).toEqual([consumers.key, control.key, ...operators].sort());
  });

  it("is not deployed but to a local cloud as `local`, with nothing uploaded and a remedy for each", async () => {
    const { api, calls } = await startAccountApi();
    const root = project({ "routes/environments/staging.yaml": copied() });
    const { code, err } = await postern(["deploy", "--target", api, ...at(root)]);
    expect(code).toBe(3);
    expect(err).toContain("routes/environments/staging.yaml cannot be deployed; nothing was uploaded");
    expect(err).toContain("control.operators.bob.key is a sample key");
    expect(err).toContain("npx postern operator add bob --rotate --env staging");
    expect(calls.filter(({ method }) => method !== "GET")).toEqual([]);
    const unfit = (env: string, target: string) =>
      unfitFor(root, { ...environmentOf(root), name: env }, targetOf(target)).map(({ at: place }) => place);
    const all = [
      ...["control.key", "control.operators.alice.key", "control.operators.bob.key", "control.operators.carol.key"],
      "consumers.key",
    ];
    expect(unfit("staging", "cloudflare")).toEqual(all);
    expect(unfit("local", "cloudflare")).toEqual(all);
    expect(unfit("preview-7", "cloudflare")).toEqual(all);
    expect([unfit("local", "local"), unfit("preview-7", "local")]).toEqual([[], []]);
    expect(() => assertOwnKeys(root, environmentOf(root))).toThrow(/control.key is a sample key/);
  });

  it("is the same in another spelling: with other spare bits, or a JWK that says something else of itself", async () => {
    const { control } = parse(fs.readFileSync(samples, "utf8"));
    const spare = `${control.key.slice(0, -1)}${String.fromCharCode(control.key.charCodeAt(42) + 1)}`;
    expect(Buffer.from(spare, "base64url")).toEqual(Buffer.from(control.key, "base64url"));
    const root = project();
    await init(root);
    const file = path.join(root, "routes/environments/staging.yaml");
    const { key } = environmentOf(root).value.control ?? {};
    fs.writeFileSync(file, fs.readFileSync(file, "utf8").replace(String(key), spare));
    expect(unfitFor(root, environmentOf(root), targetOf("cloudflare")).map(({ at: place }) => place)).toEqual([
      "control.key",
    ]);
    const { dev } = parse(fs.readFileSync(samples, "utf8"));
    const lying = JSON.stringify({ ...JSON.parse(dev.secrets.CONTROL_KEY), x: String(key) });
    const set = await postern(["secrets", "set", "CONTROL_KEY", ...at(root)], { input: lying });
    expect([set.code, set.err]).toEqual([3, expect.stringContaining("a sample that everybody knows")]);
  });

  it("is one whose private half stands in a file of the repository, too", async () => {
    const root = project();
    await init(root);
    expect(unfitFor(root, environmentOf(root), targetOf("cloudflare"))).toEqual([]);
    const secrets = { CONTROL_KEY: read(root, ".secrets/control-staging.json").trim() };
    fs.writeFileSync(path.join(root, "routes/environments/local.yaml"), JSON.stringify({ dev: { secrets } }));
    expect(unfitFor(root, environmentOf(root), targetOf("cloudflare")).map(({ at: place }) => place)).toEqual([
      "control.key",
    ]);
    // Nor is such a value set as a secret.
    const set = await postern(["secrets", "set", "CONTROL_KEY", ...at(root)], { input: secrets.CONTROL_KEY });
    expect([set.code, set.err]).toEqual([3, expect.stringContaining("a sample that everybody knows")]);
  });

  it("and an id of zeros are both refused, the id by its place", () => {
    const zeros = `kv: { consumers: "${"0".repeat(32)}", feed: "${"1".repeat(32)}" }\n`;
    const root = project({ "routes/environments/staging.yaml": zeros });
    const unfit = (env: string, target: string) =>
      unfitFor(root, { ...environmentOf(root), name: env }, targetOf(target));
    for (const target of ["cloudflare", "local"])
      expect(unfit("staging", target)).toEqual([
        {
          at: "kv.consumers",
          why: "a placeholder, all zeros",
          remedy: "npx wrangler kv namespace create consumers, and write the id that it prints",
        },
      ]);
    expect(unfit("local", "local")).toEqual([]);
  });
});
