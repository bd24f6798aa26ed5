/** A scaffolded identity filter is tested, signed, compared, audited and explained, and no file is touched but its own, its test and what is generated. */
import { execFile } from "node:child_process";
import path from "node:path";
import { expect, it } from "vitest";
import { writeProject } from "../e2e/project.ts";
import { clone, filesIn, run } from "./clone.ts";

const name = "partner-hmac";

const manifest = (more = "") => `api: postern/v1
tier: t
hosts: [localhost]
filters:
  - ${name}:
      window: ${more === "" ? "5m" : "1h"}
      keys: { one: { secret: PARTNER_KEY, consumer: partner }${more} }
upstreams: { it: { http: "https://it.example" } }
routes:
  one: { match: GET /a, to: it }
`;

const cases = `- it: lets the partner in
  as: partner
  send: GET /a?x=1
  expect: { status: 200, route: one }
- it: refuses an anonymous caller
  send: GET /a
  expect: { status: 401, code: ${name}-missing, by: ${name} }
- it: refuses a key that nobody has
  as: { name: partner, forged: true }
  send: GET /a
  expect: { status: 401, code: ${name}-invalid }
`;

const environment = "values: {}\ndev: { secrets: { PARTNER_KEY: a-key-of-the-partner } }\n";

it("touches only its own file, its test and generated files, and works with every command", {
  timeout: 300_000,
}, async () => {
  const copy = clone();
  const before = filesIn(copy);
  const postern = (...args: readonly string[]) =>
    new Promise<{ code: number; out: string }>((done) => {
      const env = { ...process.env, NO_COLOR: "1" };
      execFile(process.execPath, [path.join(copy, "infra/cli.ts"), ...args], { cwd: copy, env }, (error, out, err) =>
        done({ code: Number(error?.code ?? 0), out: out + err }),
      );
    });

  expect((await postern("new", "filter", name, "--identity")).code).toBe(0);
  const touched = [...filesIn(copy)].filter(([file, text]) => before.get(file) !== text).map(([file]) => file);
  expect(touched.sort()).toEqual([
    "docs/reference/README.md",
    "docs/reference/changes.md",
    `docs/reference/filters/${name}.md`,
    `functions/filters/${name}.ts`,
    "functions/filters/registry.gen.ts",
    "routes/manifest.schema.json",
    "routes/preset.schema.json",
    `test/functions/filters/${name}.test.ts`,
  ]);

  const files = {
    "routes/t.yaml": manifest(),
    "routes/t.test.yaml": cases,
    "routes/environments/local.yaml": environment,
  };
  const root = writeProject(files);
  const own = ["--env", "local", "--root", root];

  const tested = await postern("test", ...own);
  expect([tested.code, tested.out]).toEqual([0, expect.stringMatching(/3 cases hold/)]);

  const signed = await postern("sign", "GET", "http://localhost/a", "--root", root);
  const [, header = ""] = /^header = "(.*)"$/m.exec(signed.out) ?? [];
  expect([signed.code, header]).toEqual([0, expect.stringMatching(/^x-partner-hmac: one\.\d+\.[0-9a-f]{64}$/)]);

  const passed = await postern("explain", "GET", "http://localhost/a", ...own, "-H", header);
  expect(passed.out).toMatch(/^partner-hmac +passed .*routes\/t\.yaml:5$/m);
  const refused = await postern("explain", "GET", "http://localhost/a", ...own);
  expect(refused.out).toMatch(/the client is answered 401 partner-hmac-missing\n +routes\/t\.yaml:7/);

  const audited = await postern("check", ...own);
  expect(audited.out).toContain("forwarded-credential  it receives the x-partner-hmac header of one's callers");

  const after = writeProject({
    ...files,
    "routes/t.yaml": manifest(", two: { secret: OTHER_KEY, consumer: partner }"),
  });
  const compared = await postern("diff", root, after, "--json");
  const { changes } = JSON.parse(compared.out) as { readonly changes: readonly { readonly kind: string }[] };
  expect(changes.map(({ kind }) => kind)).toContain("identity-weakened");

  // Types, format, laws and its own test are tried with every other scaffold.
  const tools = await run(copy, "vitest", ["run", "--project", "tools", "infra/explain-parts", "infra/parts.test"]);
  expect(tools.code, tools.out).toBe(0);
});
