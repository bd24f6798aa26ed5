/** `base: { strip: true }`: what services receive of a tier's paths. */
import { expect, it } from "vitest";
import { mutantsOf } from "../../../infra/cases/mutations/mutants.ts";
import { compile } from "../../../infra/compiler/compile.ts";
import { writeProject } from "../../e2e/project.ts";
import { failureLines, runAllSuites, sharedRuntime } from "./run-cases.ts";

const runtime = sharedRuntime();

const run = async (base: string, body: string, cases: string) => {
  const root = writeProject({
    "routes/t.yaml": `api: postern/v1\ntier: t\nhosts: [localhost]\nbase: ${base}\nupstreams: { it: { http: https://it.example/api }, old: { http: https://old.example } }\n${body}`,
    "routes/t.test.yaml": cases,
  });
  const [report] = await runAllSuites(root, runtime());
  return { root, failures: report && failureLines(report) };
};

const routes = `routes:
  all: { match: "GET /{rest*}", to: it }
  root: { match: GET /, to: it }
  fixed: { match: GET /fixed, to: it, path: /x/v1/other }
  encoded: { match: "GET /files/{name}", encoded-slashes: keep, to: it }
  old: { match: GET /old, to: it, cutover: { legacy: old, percent: 0% } }
`;

it("services receive paths without the base, and otherwise as the client sent them", async () => {
  const sees = (sent: string, seen: string) =>
    `- it: hands on ${sent}\n  send: GET ${sent}\n  upstream: { it: { sees: "GET ${seen}" } }\n  expect: { status: 200 }\n`;
  const { failures } = await run(
    "{ path: /x/v1, strip: true }",
    routes,
    [
      sees("/x/v1/a/b?q=%2F", "/api/a/b?q=%2F"),
      sees("/x/v1/a%20b/", "/api/a%20b/"),
      sees("/x/v1/x/v1/a", "/api/x/v1/a"),
      sees("/%78/v1/%61", "/api/a"),
      sees("/x/v1", "/api/"),
      sees("/x/v1/", "/api/"),
      sees("/x/v1/fixed", "/api/x/v1/other"),
      sees("/x/v1/files/a%2Fb", "/api/files/a%2Fb"),
      "- it: leaves the old gateway's path\n  send: GET /x/v1/old\n  upstream: { old: { sees: GET /x/v1/old } }\n  expect: { status: 200 }\n",
    ].join("\n"),
  );
  expect(failures).toEqual([]);
});

it("without strip, services receive the base", async () => {
  const cases = "- it: hands it on\n  send: GET /x/v1/a\n  upstream: { it: { sees: GET /api/x/v1/a } }\n  expect: {}\n";
  expect((await run("/x/v1", routes, cases)).failures).toEqual([]);
  expect((await run("{ path: /x/v1 }", routes, cases)).failures).toEqual([]);
});

it("filters change the path that the service knows, copies have it too, and redirects of the service get the base back", async () => {
  const filters = `filters:
  - mirror: https://copy.example
  - rewrite: { put-prefix: /v2 }
`;
  const { failures } = await run(
    "{ path: /x/v1, strip: true }",
    `${filters}${routes}`,
    `- it: hands it on
  send: GET /x/v1/a
  upstream:
    mirror: { sees: GET /a }
    it: { sees: GET /api/v2/a, replies: { status: 303, headers: { location: /api/v2/b } } }
  expect: { status: 303, headers: { location: /x/v1/b } }
`,
  );
  expect(failures).toEqual([]);
});

it("--mutate hands the base on", () => {
  const root = writeProject({
    "routes/t.yaml": `api: postern/v1\ntier: t\nhosts: [localhost]\nbase: { path: /x, strip: true }\nroutes: { a: { match: GET /a, respond: { status: 200 } } }\n`,
  });
  const { tiers } = compile(root, "local");
  const mutants = mutantsOf(
    root,
    tiers.map(({ checked }) => checked),
  );
  expect(mutants).toContainEqual(
    expect.objectContaining({
      says: "services receive paths with the base",
      line: 4,
      text: expect.stringContaining("strip: false"),
    }),
  );
});
