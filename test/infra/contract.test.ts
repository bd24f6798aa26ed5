/** Scripts can rely on what the reference says: exit codes, and the keys of JSON, of each verb of a review. */
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { commandContracts, exitCodes } from "../../infra/terminal/contract.ts";
import { postern } from "../command-line.ts";
import { type Files, manifest, removeProject, writeFiles, writeProject } from "../e2e/project.ts";

const limit = "filters: [{ rate-limit: { limit: 20/s, by: ip } }]\n";
const body = 'upstreams: { it: { http: "https://it.example" } }\nroutes: { a: { match: GET /a, to: it } }\n';
const line = "# yaml-language-server: $schema=./manifest.schema.json\n";
const good = line + manifest("t", limit + body);
const open = line + manifest("t", body);
const wrong = `${good}oops: 1\n`;
const sameMatches = `${line}${manifest("t", `${limit}upstreams: { it: { http: "https://it.example" } }\nroutes:\n  a: { match: GET /a, to: it }\n  b: { match: GET /a, when: { query: { x: present } }, to: it }\n`)}`;
const owners =
  "# postern: begin. Written by `npx postern repo` from the manifests' owners; edits between these lines are lost.\n# postern: end\n";
const api = (security: string) => `openapi: 3.1.0
info: { title: t, version: "1" }
servers: [{ url: https://it.example }]
components: { securitySchemes: { people: { type: http, scheme: bearer } } }
paths: { /a: { get: { operationId: a, ${security}responses: {} } } }
`;
const cluster = (more: string) =>
  `kind: HTTPRoute\nmetadata: { name: it, namespace: shop }\nspec: { hostnames: [shop.example], rules: [{ backendRefs: [{ name: v1, port: 80 }]${more} }] }\n`;

/** A repository whose last commit holds. */
let holding: string;
beforeAll(() => {
  holding = writeFiles({ "routes/t.yaml": good, ".github/CODEOWNERS": owners, "shop.yaml": api(""), ...held });
  const git = (...args: readonly string[]) => execFileSync("git", args, { cwd: holding, stdio: "ignore" });
  git("init", "-q");
  git("add", ".");
  git("-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "-qm", "holds");
  return () => removeProject(holding);
});

/** A copy of it, and these files in its work tree. */
const repository = (files: Files): string => {
  const root = writeProject({});
  fs.cpSync(holding, root, { recursive: true });
  for (const [file, text] of Object.entries(files)) fs.writeFileSync(path.join(root, file), text);
  execFileSync("git", ["add", "."], { cwd: root, stdio: "ignore" });
  return root;
};
const held = { "cluster.yaml": cluster("") };

const service = ["--service-url", "https://{name}.example"];
const trials: Readonly<Record<string, readonly (readonly [code: number, args: readonly string[], files: Files])[]>> = {
  init: [
    [0, [], {}],
    [0, ["new"], {}],
    [1, [], { "routes/t.yaml": wrong }],
    [1, ["new", "--openapi", "shop.yaml"], { "shop.yaml": api("security: [{ people: [] }], ") }],
    [2, ["--template", "minimal"], {}],
    [3, ["new", "--openapi", "nowhere.yaml"], {}],
  ],
  check: [
    [0, [], {}],
    [1, [], { "routes/t.yaml": wrong }],
    [5, [], { "routes/t.yaml": open }],
    [0, ["--fail-on", "never"], { "routes/t.yaml": open }],
    [0, ["--fix"], {}],
    [0, ["--dry-run"], {}],
  ],
  diff: [
    [0, ["HEAD"], { "routes/t.yaml": open }],
    [1, ["HEAD"], { "routes/t.yaml": wrong }],
    [5, ["HEAD", "--fail-on", "high"], { "routes/t.yaml": open }],
    [3, ["nowhere"], {}],
    [2, [], {}],
  ],
  ci: [
    [0, ["HEAD"], {}],
    [1, ["HEAD"], { "routes/t.yaml": wrong }],
    [5, ["HEAD"], { "routes/t.yaml": open }],
    [3, ["nowhere"], {}],
  ],
  test: [
    [0, [], {}],
    [1, [], { "routes/t.test.yaml": "- { it: fails, send: GET /t/a, expect: { status: 404 } }\n" }],
    [1, ["--fail-under", "100"], { "routes/t.test.yaml": "[]\n" }],
    [1, [], { "routes/t.yaml": wrong }],
    [3, ["nobody"], {}],
  ],
  effective: [
    [0, ["t", "--env", "local"], {}],
    [1, ["t", "--env", "local"], { "routes/t.yaml": wrong }],
    [3, ["t/nothing", "--env", "local"], {}],
  ],
  explain: [
    [0, ["GET", "http://localhost/t/a"], {}],
    [1, ["GET", "http://localhost/t/a"], { "routes/t.yaml": wrong }],
    [3, ["GET", "nonsense"], {}],
  ],
  "import openapi": [
    [0, ["shop.yaml", "--tier", "s", "--host", "s.example"], {}],
    [1, ["shop.yaml", "--tier", "s", "--host", "s.example"], { "shop.yaml": api("security: [{ people: [] }], ") }],
    [
      0,
      ["shop.yaml", "--tier", "s", "--host", "s.example", "--accept-gaps"],
      { "shop.yaml": api("security: [{ people: [] }], ") },
    ],
    [3, ["nowhere.yaml"], {}],
  ],
  "import gateway-api": [
    [0, ["cluster.yaml", ...service], {}],
    [1, ["cluster.yaml", ...service], { "cluster.yaml": cluster(", retry: {}") }],
    [0, ["cluster.yaml", ...service, "--accept-gaps"], { "cluster.yaml": cluster(", retry: {}") }],
    [3, ["nowhere"], {}],
  ],
  "export openapi": [
    [0, ["--env", "local", "-o", "out.json"], {}],
    [1, ["--env", "local", "-o", "out.json"], { "routes/t.yaml": sameMatches }],
    [0, ["--env", "local", "-o", "out.json", "--accept-gaps"], { "routes/t.yaml": sameMatches }],
    [1, ["--env", "local", "-o", "out.json"], { "routes/t.yaml": wrong }],
  ],
  "export site": [
    [0, ["--env", "local"], {}],
    [1, ["--env", "local"], { "routes/t.yaml": sameMatches }],
  ],
  repo: [
    [0, ["--check"], {}],
    [0, [], {}],
    [1, ["--check"], { ".github/CODEOWNERS": owners.replace("lost.", "lost.\n/x @x") }],
  ],
  staged: [
    [0, [], { "routes/t.yaml": open }],
    [1, [], { "routes/t.yaml": wrong }],
  ],
  routes: [
    [0, ["--env", "local"], {}],
    [1, ["--env", "local"], { "routes/t.yaml": wrong }],
  ],
  build: [
    [0, ["--env", "local"], {}],
    [1, ["--env", "local"], { "routes/t.yaml": wrong }],
  ],
};

it("there is a trial for each verb of the table, and for each of its codes", () => {
  const codesOf = ([verb, all]: (typeof entries)[number]) => [
    verb,
    [...new Set(all.map(([code]) => code).filter((it) => ![0, 2, 3].includes(it)))].sort(),
  ];
  const entries = Object.entries(trials);
  expect(entries.map(codesOf)).toEqual(
    Object.entries(commandContracts).map(([verb, { exits }]) => [verb, Object.keys(exits).map(Number)]),
  );
});

describe.each(Object.entries(trials))("%s", (verb, all) => {
  const { json = [] } = commandContracts[verb] ?? {};
  const known = json.map((key) => key.replace("?", ""));
  const always = json.filter((key) => !key.endsWith("?"));
  it.each(all.map(([code, args, files]) => ({ code, line: args.join(" "), args, files })))(
    "$code: $line",
    async ({ code: wanted, args, files }) => {
      const root = repository(files);
      const where = verb === "init" ? [] : ["--root", root];
      const { code, out, err } = await postern([...verb.split(" "), ...args, ...where, "--json"], { cwd: root });
      expect([code, err.split("\n")[0]]).toEqual([wanted, expect.any(String)]);
      expect(Object.keys(exitCodes)).toContain(String(code));
      if (code === 2) return;
      if (code === 3) {
        // Some errors say what to do beside what is wrong.
        expect([out, Object.keys(JSON.parse(err)).filter((key) => key !== "remedy")]).toEqual(["", ["error"]]);
        return;
      }
      expect(err).toBe("");
      const keys = Object.keys(JSON.parse(out));
      // Of manifests that do not hold there is often no more to say.
      if (wanted === 1 && keys.join() === "problems") return;
      expect(keys.filter((it) => !known.includes(it))).toEqual([]);
      expect(keys).toEqual(expect.arrayContaining(always));
    },
  );
});

it("the help of the program has the same table", async () => {
  const { out } = await postern(["--help"]);
  for (const [code, meaning] of Object.entries(exitCodes)) expect(out).toContain(`  ${code}  ${meaning}\n`);
});
