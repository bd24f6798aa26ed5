/** Runs the rows through front and gate, and as cases of `postern test`. */
import { describe, expect, test } from "vitest";
import { startRuntime } from "../../../infra/cases/runtime.ts";
import { testWith } from "../../../infra/commands/review/test.ts";
import { send } from "../../e2e/client.ts";
import { type Files, sharedProject, writeProject } from "../../e2e/project.ts";
import { table } from "../row.ts";
import { manifests, type RoutingRow, rows } from "./rows.ts";

const filesFor = (url: string): Files =>
  Object.fromEntries(
    Object.entries(manifests).map(([tier, body]) => [
      `routes/${tier}.yaml`,
      `api: postern/v1\ntier: ${tier}\nhosts: [localhost]\nupstreams: { it: { http: "${url}" } }\n${body}`,
    ]),
  );

describe("through front and gate", () => {
  const withService = sharedProject(filesFor);

  table(rows, async ({ sends, gets }) => {
    const seen: string[] = [];
    const { port } = withService((request, response) => {
      seen.push(`${request.method} ${request.url}`);
      response.end();
    });
    const [method, path = ""] = sends.split(" ");
    const { status, text } = await send(port, { method, path, headers: { host: "localhost" } });
    const [, code = ""] = /"code":"([^"]+)"/.exec(text) ?? [];
    expect(seen.length === 0 ? `${status} ${code}`.trim() : seen.join()).toBe(gets);
  });
});

const tierOf = (sends: string): string => {
  const path = sends.split(" ")[1] as string;
  if (path.startsWith("/o/deep/")) return "deep";
  return path.startsWith("/x") ? "x" : path.startsWith("/v1") ? "verbs" : "objects";
};

const caseOf = ({ it, sends, gets }: RoutingRow): object => {
  const [status, code] = gets.split(" ");
  if (/^\d/.test(gets))
    return { it, send: sends, upstream: { it: { sees: "nothing" } }, expect: { status: Number(status), code } };
  return { it, send: sends, upstream: { it: { sees: gets } }, expect: { status: 200 } };
};

test("as cases of postern test", async () => {
  const cases = Object.entries(Object.groupBy(rows, ({ sends }) => tierOf(sends))).map(([tier, its = []]) => [
    `routes/${tier}.test.yaml`,
    JSON.stringify(its.map(caseOf)),
  ]);
  const root = writeProject({ ...filesFor("https://service.example"), ...Object.fromEntries(cases) });
  const runtime = await startRuntime();
  try {
    const { exitCode, text } = await testWith(async () => runtime, [], { root, env: "local" });
    expect(exitCode === 0 ? "" : text).toBe("");
    expect(text).toContain(`${rows.length} cases hold`);
  } finally {
    await runtime.stop();
  }
});
