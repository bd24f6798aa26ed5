/** `postern.config.ts`: folders of own parts, and targets by name. A wrong one stops the command, and says all that is wrong. */

import path from "node:path";
import { afterAll, expect, it } from "vitest";
import { codeRoot } from "../../infra/project/generated-files.ts";
import { docsPage, project, useProject } from "../../infra/project/project.ts";
import { environmentFor, targetOf } from "../../infra/release/target.ts";
import { postern } from "../command-line.ts";
import { writeProject } from "../e2e/project.ts";
import { ownParts } from "./own-filter.ts";

afterAll(() => useProject(codeRoot));

const config = (text: string) => ({
  "postern.config.ts": `import { defineConfig } from "postern/config";\nexport default defineConfig({ ${text} });\n`,
});
const account = "0123456789abcdef0123456789abcdef";

it("without one, parts are in functions/, and there are no more targets", async () => {
  const { folders, targets } = await useProject(writeProject({}));
  expect({ folders, targets }).toEqual({
    folders: { filters: "functions/filters", upstreams: "functions/upstreams" },
    targets: {},
  });
  expect(() => targetOf("staging")).toThrow(/--target takes cloudflare, local, or a local cloud's URL/);
});

it("moves the folders of parts, new ones and those that are there", async () => {
  const parts = Object.fromEntries(
    Object.entries(ownParts("https://service.acme.example")).map(([file, text]) => [
      file.replace(/^functions\/(filters|upstreams|shared)/, "gateway/$1"),
      text,
    ]),
  );
  const root = writeProject({ ...parts, ...config('filters: "gateway/filters", upstreams: "gateway/upstreams"') });
  const build = await postern(["build", "--root", root, "--env", "local", "--json"]);
  expect([build.code, JSON.parse(build.out).problems]).toEqual([0, []]);
  expect(project().own.parts.map(({ file }) => file)).toEqual([
    "gateway/filters/geo-fence.ts",
    "gateway/upstreams/legacy.ts",
  ]);
  const { out } = await postern(["new", "filter", "quota", "--root", root, "--json"]);
  expect(JSON.parse(out).written).toEqual(["gateway/filters/quota.ts"]);
});

it("names targets: a local cloud, or an account, each with the environment that it is for", async () => {
  await useProject(
    writeProject(
      config(`targets: {
        lab: { url: "http://127.0.0.1:9999", environment: "staging" },
        staging: { account: "${account}", environment: "staging" },
        other: { account: "${account}" },
      }`),
    ),
  );
  expect(targetOf("lab")).toMatchObject({
    name: "local",
    variables: { CLOUDFLARE_API_BASE_URL: "http://127.0.0.1:9999" },
  });
  expect(targetOf("staging")).toMatchObject({ name: "cloudflare", variables: { CLOUDFLARE_ACCOUNT_ID: account } });
  const environments = ["lab", "staging", "other", "local", "cloudflare"].map((it) =>
    environmentFor(targetOf(it), undefined),
  );
  expect(environments).toEqual(["staging", "staging", "production", "local", "production"]);
  expect(environmentFor(targetOf("lab"), "local")).toBe("local");
  expect(() => targetOf("lba")).toThrow(/lab, staging, other, or a local cloud's URL/);
  // A name that every object has is no target.
  expect(() => targetOf("constructor")).toThrow(/--target takes/);
});

it.each([
  ["an unknown key", 'filterz: "a"', [/there is no key "filterz"; there are filters, upstreams, targets/]],
  ["a folder outside", 'filters: "../elsewhere"', [/filters: a folder of the project/]],
  ["an absolute folder", 'upstreams: "/srv"', [/upstreams: a folder of the project/]],
  [
    "one folder for both",
    'filters: "a", upstreams: "a"',
    [/upstreams: filters and upstreams are in different folders/],
  ],
  ["a target that is there already", `targets: { local: { account: "${account}" } }`, [/`cloudflare` and `local`/]],
  ["a target without a place", "targets: { lab: {} }", [/targets\.lab: give `url` or `account`/]],
  [
    "a URL that is not of this machine",
    'targets: { lab: { url: "https://a.example" } }',
    [/targets\.lab\.url: a local/],
  ],
  [
    "all at once",
    'filters: 1, targets: { lab: { acount: "a", url: "http://localhost:1" } }',
    [/filters: /, /targets\.lab: there is no key "acount"; there are url, account, environment/],
  ],
])("stops a command that has %s", async (_, text, messages) => {
  const { code, err } = await postern(["check", "--root", writeProject(config(text))]);
  expect(code).toBe(3);
  for (const message of messages) expect(err).toMatch(message);
  expect(err).toContain("postern.config.ts is invalid");
});

it.each([
  ["no default export", "export const config = {};\n", /exports no configuration/],
  ["a syntax error", "export default {\n", /postern\.config\.ts:2:1 {2}/],
  ["code that throws", 'throw new Error("no luck");\n', /postern\.config\.ts:1:\d+ {2}the file throws .*no luck/],
])("stops a command whose file has %s", async (_, text, message) => {
  const { code, err } = await postern(["check", "--root", writeProject({ "postern.config.ts": text })]);
  expect([code, err]).toEqual([3, expect.stringMatching(message)]);
});

it("may be JavaScript, and is found by its folder alone", async () => {
  const root = writeProject({ "postern.config.js": 'export default { filters: "gateway" };\n' });
  expect((await useProject(root)).folders.filters).toBe("gateway");
  expect((await useProject(path.join(root, "routes"))).folders.filters).toBe("functions/filters");
});

it("names pages of the docs where a reader has them", () => {
  const page = "docs/deploy.md#tokens";
  expect(docsPage(page, { root: "/gateway", code: "/postern" })).toBe(page);
  expect(docsPage(page, { root: "/gateway", code: "/gateway/node_modules/postern" })).toBe(
    `node_modules/postern/${page}`,
  );
  expect(docsPage(page, { root: "/mono/apps/gateway", code: "/mono/node_modules/postern" })).toBe(
    `../../node_modules/postern/${page}`,
  );
});
