/** What looks like a secret is in no output, also where its manifest does not hold: each secret, at each place, in each form of each verb. */
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { check } from "../../../infra/commands/authoring/check.ts";
import { effective } from "../../../infra/commands/authoring/effective.ts";
import { repo } from "../../../infra/commands/authoring/repo.ts";
import { routes } from "../../../infra/commands/authoring/routes.ts";
import { ci } from "../../../infra/commands/review/ci.ts";
import { diff } from "../../../infra/commands/review/diff.ts";
import { exportOpenApiFile } from "../../../infra/commands/review/export.ts";
import { test } from "../../../infra/commands/review/test.ts";
import { compile } from "../../../infra/compiler/compile.ts";
import { type Files, manifest, writeProject } from "../../e2e/project.ts";
import { full } from "../../full.ts";

/** None of them is anybody's: made up for this test, and put together so that no scanner of a repository takes them for real. */
const of = (...pieces: readonly string[]): string => pieces.join("");
const secrets = {
  stripe: of("sk_", "live_", "4eC39HqLyjWDarjtT1zdp7dc"),
  github: of("ghp_", "16C7e42F292c6912E7710c838347Ae178B4a"),
  aws: of("AKIA", "IOSFODNN7EXAMPLE"),
  jwt: of("eyJ", "hbGciOiJIUzI1NiJ9.", "eyJ", "zdWIiOiIxMjM0NTY3ODkwIn0.", "dozjgNryP4J3jVmNHl0w5N"),
  hex: of("9f86d081884c7d65", "9a2feaa0c55ad015"),
  url: of("hunter", "2butlonger"),
  words: of("correct-horse", "-battery-staple"),
  bearer: of("mF_9.B5f-4", ".1JqM"),
  slack: of("services/", "T0123ABCD/B0123ABCD/", "xyzxyzxyzxyz"),
};

const tail = 'upstreams: { it: { http: "https://it.example" } }\nroutes: { all: { match: "GET /x", to: it } }\n';
const tier = (lines: string): Files => ({ "routes/t.yaml": manifest("t", lines + tail) });
const set = (name: string, value: string, more: string) =>
  tier(`filters: [{ headers: { request: { set: { ${name}: ${value} } }${more} } }]\n`);

/** An invalid project, with a secret on or near the reported line. */
const broken: Readonly<Record<string, readonly [secret: string, files: Files]>> = {
  "an unknown key beside it": [secrets.hex, set("x-api-key", secrets.hex, ", oops: 1")],
  "a known shape, under a name that tells nothing": [secrets.stripe, set("x-shop", secrets.stripe, ", oops: 1")],
  "no YAML": [secrets.github, tier(`filters: [{ headers: { request: { set: { x-it: ${secrets.github} } }\n`)],
  "no YAML, and only the name tells": [secrets.words, tier(`filters: [{ x: { password: ${secrets.words} }\n`)],
  "no YAML, on the next line": [secrets.hex, tier(`filters: [ {\nsecret:\n  ${secrets.hex.slice(0, 12)} ]}}\n`)],
  "in place of a secret's name": [
    secrets.words,
    tier(`filters: [{ signature: { keys: { k: { secret: ${secrets.words}, consumer: a } } } }]\n`),
  ],
  "quoted by the message": [
    secrets.jwt,
    tier(`filters: [{ jwt: { issuer: i, audience: a, algorithms: [${secrets.jwt}] } }]\n`),
  ],
  "beside a variable": [secrets.bearer, set("authorization", `"Bearer ${secrets.bearer} $${"{"}more}"`, "")],
  "a variable that is not there": [secrets.hex, set("x-token", `${secrets.hex}, y: "$${"{"}gone}"`, "")],
  "as a key": [secrets.aws, tier(`filters: [{ headers: { ${secrets.aws}: 1 } }]\n`)],
  "as the name of a filter": [secrets.aws, tier(`filters: [{ ${secrets.aws}: {} }]\n`)],
  "in a comment": [secrets.words, tier(`oops: 1 # password: ${secrets.words}\n`)],
  "in quotes, with escapes": [
    secrets.hex,
    set("x-api-key", `"\\x39${secrets.hex.slice(1)}"`, `, "${secrets.hex.slice(0, 3)}": 1`),
  ],
  "a password of a URL": [
    secrets.url,
    { "routes/t.yaml": manifest("t", tail.replace("https://it", `https://me:${secrets.url}@it`)) },
  ],
  "the URL of a chat's webhook, as a destination": [
    secrets.slack,
    { "routes/t.yaml": manifest("t", `oops: https://hooks.slack.com/${secrets.slack}\n${tail}`) },
  ],
  "a private key over lines": [
    secrets.hex,
    tier(
      `filters:\n  - headers:\n      request:\n        set:\n          x-it: |\n            -----BEGIN PRIVATE KEY-----\n            ${secrets.hex.slice(0, 30)}\n            -----END PRIVATE KEY-----\n          \tbad\n`,
    ),
  ],
  "a private member of a key": [
    secrets.words,
    tier(
      `filters: [{ jwt: { issuer: i, audience: a, algorithms: [EdDSA], keys: [{ kty: OKP, crv: Ed25519, x: AAAA, d: ${secrets.words} }] } }]\n`,
    ),
  ],
  "a list beneath its name": [
    secrets.words,
    tier(`filters: [{ x: { passwords: [] , secret: [${secrets.words}] } }]\n`),
  ],
  "in another route that is a related location": [
    secrets.hex,
    {
      "routes/t.yaml": manifest(
        "t",
        `upstreams: { it: { http: "https://it.example" } }\nroutes:\n  a: { match: GET /x, to: it, filters: [{ headers: { request: { set: { x-api-key: ${secrets.hex} } } } }] }\n  b: { match: GET /x, to: it }\n`,
      ),
    },
  ],
  "the environment": [
    secrets.words,
    { ...tier(""), "routes/environments/local.yaml": `values: {}\noops: { secret: ${secrets.words} }\n` },
  ],
  "samples of the dev loop": [
    secrets.words,
    { ...tier(""), "routes/environments/local.yaml": `values: {}\ndev: { secrets: { a-b: ${secrets.words} } }\n` },
  ],
  "a preset": [
    secrets.hex,
    {
      ...tier("preset: p\n"),
      "routes/presets/p.yaml": `preset: p\nsummary: s\nfilters: [{ headers: { request: { set: { x-api-key: ${secrets.hex} } }, oops: 1 } }]\n`,
    },
  ],
  "a key of a consumer, and not its hash": [
    secrets.hex,
    { ...tier(""), "routes/consumers.yaml": `consumers: { shop: { keys: [], api-key: ${secrets.hex} } }\n` },
  ],
  "a case": [
    secrets.stripe,
    {
      ...tier(""),
      "routes/t.test.yaml": `- { it: works, send: { request: GET /t/x, headers: { x-it: ${secrets.stripe} } }, oops: 1, expect: { status: 200 } }\n`,
    },
  ],
  "a case that fails": [
    secrets.stripe,
    {
      ...tier(""),
      "routes/t.test.yaml": `- { it: works, send: "GET /t/x?key=${secrets.stripe}", expect: { status: 404, json: { a: ${secrets.stripe} } } }\n`,
    },
  ],
};

const environment = "routes/environments/local.yaml";

/** All that the verbs say of a project, in every form. */
const outputsOf = async (root: string): Promise<readonly (readonly [from: string, text: string])[]> => {
  const comment = path.join(root, "comment.md");
  const captured: [string, string][] = [];
  const capture = async (from: string, run: () => unknown) => {
    const { text, data } = (await Promise.resolve()
      .then(run)
      .catch((error: Error) => ({ text: error.message, data: {} }))) as { text: string; data: unknown };
    captured.push([from, text], [`${from} --json`, JSON.stringify(data)]);
  };
  for (const format of ["human", "github", "sarif"] as const)
    await capture(`check --format ${format}`, () => check({ root, format, failOn: "never" }));
  await capture("check --fix --dry-run", () => check({ root, fix: true, dryRun: true }));
  for (const format of ["human", "markdown"] as const)
    await capture(`diff ${format}`, () => diff("HEAD", undefined, { root, format }));
  await capture("ci", () => ci("HEAD", { root, annotate: true, comment }));
  captured.push(["ci --comment", fs.readFileSync(comment, "utf8")]);
  await capture("repo", () => repo({ root, check: true }));
  await capture("test", () => test([], { root, env: "local" }));
  await capture("routes", () => routes({ root, env: "local" }));
  await capture("effective", () => effective("t", { root, env: "local" }));
  await capture("export", () => exportOpenApiFile([], { root, env: "local" }));
  return captured;
};

/** A repository whose last commit holds. */
const repository = (): string => {
  const root = writeProject(tier(""));
  const git = (...args: readonly string[]) => execFileSync("git", args, { cwd: root, stdio: "ignore" });
  git("init", "-q");
  git("add", ".");
  git("-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "-qm", "holds");
  return root;
};

/** Each goes through every command, so npm test has a third of them. */
const some = Object.entries(broken).filter((_, index) => full || index % 3 === 0);

describe.each(some)("%s", (_, [secret, files]) => {
  it("is in no output", async () => {
    const root = repository();
    for (const [file, text] of Object.entries(files)) {
      fs.mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
      fs.writeFileSync(path.join(root, file), text);
    }
    const outputs = await outputsOf(root);
    // A beginning is enough to find an account by, and to guess the rest.
    const pieces = [secret.slice(0, 12), secret.slice(1, 12), secret.slice(-8)];
    for (const [from, text] of outputs)
      expect([from, pieces.filter((it) => text.includes(it)), text]).toEqual([from, [], text]);
  });
});

it("shows text around a secret as written", () => {
  const root = writeProject({
    ...tier(`filters: [{ headers: { request: { set: { x-api-key: ${secrets.hex} }, remov: [cookie] } } }]\n`),
    [environment]: "values: {}\n",
  });
  const [problem] = compile(root, "local").problems;
  expect(problem).toMatchObject({
    code: "unknown-key",
    source: `filters: [{ headers: { request: { set: { x-api-key: ${"•".repeat(32)} }, remov: [cookie] } } }]`,
    column: 89,
    length: 5,
  });
});

it.each([
  "issuer: https://identity.acme.example/realms/v2/tenant-2024-06-30",
  "keys: { k: { secret: PAY_SIGNING_KEY_2, consumer: shop } }",
  "authorization: present",
  "x-api-key: '{consumer.id}'",
  `token: "$${"{"}partner-token}"`,
  "path: /v1/accounts/a1b2c3d4-0000-4000-8000-000000000000/balances-2024q3",
  `keys: ["sha256:${"0a1b".repeat(16)}"]`,
  "api-key: { header: x-client-key, cache: 60s }",
  "token: 5m",
  "credentials: everybody",
])("%s is shown whole", (line) => {
  const root = writeProject({ "routes/t.yaml": `oops: { ${line} }\n${manifest("t", tail)}` });
  expect(compile(root, "local").problems[0]?.source).toBe(`oops: { ${line} }`);
});

describe("what people call secret, and is none", () => {
  const routed = (name: string, to: string, rest: string): Files => ({
    "routes/t.yaml": manifest(
      "t",
      `upstreams: { it: { http: "https://it.example" } }\nroutes:\n  ${name}: { match: GET /secrets, to: ${to}${rest} }\n`,
    ),
  });

  it("shows the lines of a route and the messages about them", () => {
    const [problem] = compile(writeProject(routed("list-org-secrets", "oddly-named", "")), "local").problems;
    expect(problem?.source).not.toContain("•");
    expect(problem?.message).toContain("oddly-named");
  });
  it("masks the secret in it, and one that replaces it", () => {
    const [inside] = compile(
      writeProject(
        routed(
          "list-secrets",
          "it",
          `, filters: [{ headers: { request: { set: { x-api-key: ${secrets.hex} } } } }], pth: 1`,
        ),
      ),
      "local",
    ).problems;
    expect(inside?.source).not.toContain(secrets.hex.slice(0, 12));
    const files = { "routes/t.yaml": manifest("t", `upstreams: {}\nroutes: { secret: ${secrets.words} }\n`) };
    for (const { source, message } of compile(writeProject(files), "local").problems)
      expect(`${source} ${message}`).not.toContain(secrets.words.slice(0, 12));
  });
  it("a schema of a password is shown, and no sample of one", () => {
    const schema = (more: string) =>
      tier(
        `filters: [{ body-limit: 1KiB }, { validate: { body: { properties: { password: { type: string, maxLength: 4711${more} } } } } }]\noops: 1\n`,
      );
    const shownOf = (files: Files) => {
      const { problems } = compile(writeProject(files), "local");
      return JSON.stringify(problems);
    };
    expect(shownOf(schema(", minLenght: 4711"))).toContain("maxLength: 4711");
    for (const sample of [`default: ${secrets.words}`, `enum: [${secrets.words}]`, `examples: [${secrets.words}]`])
      expect(shownOf(schema(`, ${sample}, minLenght: 1`))).not.toContain(secrets.words.slice(0, 12));
  });
});

it("a secret's name is no secret, with a digit in it or without", () => {
  const root = writeProject(set("x-api-key", "{ secret: PAY_SIGNING_KEY_2 }", ""));
  const { data } = check({ root });
  expect((data as { findings: readonly { code: string }[] }).findings.map(({ code }) => code)).not.toContain(
    "written-secret",
  );
});

it.each([
  ["a.", 500_000],
  ["eyJ-", 250_000],
  ["a://", 250_000],
  ["token: ", 140_000],
  ["Bearer ", 140_000],
  ["a1", 500_000],
  ["-----BEGIN PRIVATE KEY-----\n", 35_000],
  ['x="', 300_000],
])("a file of nothing but %j is read to its end", (piece, times) => {
  const root = writeProject({
    "routes/t.yaml": `# ${piece.repeat(times)}\noops: ${JSON.stringify(piece.repeat(100))}\n`,
  });
  expect(compile(root, "local").problems.length).toBeGreaterThan(0);
});
