/** Cases of a small project, tried in a runtime that all tests of a file share. */
import { afterAll, beforeAll } from "vitest";
import { prepare } from "../../../infra/cases/prepare.ts";
import { keysOf, type Report, runSuite, type Wish } from "../../../infra/cases/run.ts";
import { type Runtime, startRuntime } from "../../../infra/cases/runtime.ts";
import type { Problem } from "../../../infra/diagnostics/problem.ts";
import { manifest, project } from "../../e2e/project.ts";

export const sharedRuntime = (): (() => Runtime) => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await startRuntime();
  });
  afterAll(() => runtime.stop());
  return () => runtime;
};

/** A tier `t` with a service `it` and perhaps others, its routes and cases. */
export const files = (body: string, cases: string, others: readonly string[] = []) => ({
  "routes/t.yaml": manifest(
    "t",
    `upstreams: { ${["it", ...others].map((name) => `${name}: { http: "https://${name}.example" }`).join(", ")} }\n${body}`,
  ),
  "routes/t.test.yaml": cases,
});

/** @throws the problems of the files, as data */
export const tryAll = async (root: string, runtime: Runtime, wish: Omit<Wish, "root"> = {}): Promise<Report[]> => {
  const ready = prepare([], { root, env: "local" });
  if ("exitCode" in ready) throw new Broken((ready.data as { problems: readonly Problem[] }).problems);
  const keys = await keysOf(ready.suites);
  const reports: Report[] = [];
  for (const suite of ready.suites)
    reports.push(await runSuite(suite, ready.compiled, keys, runtime, { root, ...wish }));
  const problems = reports.flatMap((it) => it.problems);
  if (problems.length > 0) throw new Broken(problems);
  return reports;
};

export class Broken extends Error {
  readonly problems: readonly Problem[];
  constructor(problems: readonly Problem[]) {
    super(problems.map(({ file, line, message }) => `${file}:${line} ${message}`).join("\n"));
    this.problems = problems;
  }
}

/** Of the one tier. */
export const tried = async (
  body: string,
  cases: string,
  runtime: Runtime,
  others: readonly string[] = [],
): Promise<Report> => {
  const [report] = await tryAll(project(files(body, cases, others)), runtime);
  return report as Report;
};

/** What failed, in a line each: `status: expected 200, got 401`. */
export const failed = ({ failures }: Report): string[] =>
  failures.flatMap(({ step, differences }) =>
    differences.map(({ of, expected, got }) => `${step} ${of}: expected ${expected}, got ${got}`),
  );
