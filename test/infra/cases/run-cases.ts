/** Cases of a small project, tried in a runtime that all tests of a file share. */
import { afterAll, beforeAll } from "vitest";
import { prepare } from "../../../infra/cases/prepare.ts";
import { createKeys, type Report, runSuite, type SuiteOptions } from "../../../infra/cases/run.ts";
import { type Runtime, startRuntime } from "../../../infra/cases/runtime.ts";
import type { Problem } from "../../../infra/diagnostics/problem.ts";
import { manifest, writeProject } from "../../e2e/project.ts";

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
export const runAllSuites = async (
  root: string,
  runtime: Runtime,
  options: Omit<SuiteOptions, "root"> = {},
): Promise<Report[]> => {
  const prepared = prepare([], { root, env: "local" });
  if ("exitCode" in prepared) throw new ProjectProblems((prepared.data as { problems: readonly Problem[] }).problems);
  const keys = await createKeys(prepared.suites);
  const reports: Report[] = [];
  for (const suite of prepared.suites)
    reports.push(await runSuite(suite, prepared.compiled, keys, runtime, { root, ...options }));
  const problems = reports.flatMap((it) => it.problems);
  if (problems.length > 0) throw new ProjectProblems(problems);
  return reports;
};

export class ProjectProblems extends Error {
  readonly problems: readonly Problem[];
  constructor(problems: readonly Problem[]) {
    super(problems.map(({ file, line, message }) => `${file}:${line} ${message}`).join("\n"));
    this.problems = problems;
  }
}

/** Of the one tier. */
export const runCases = async (
  body: string,
  cases: string,
  runtime: Runtime,
  others: readonly string[] = [],
): Promise<Report> => {
  const [report] = await runAllSuites(writeProject(files(body, cases, others)), runtime);
  return report as Report;
};

/** What failed, in a line each: `status: expected 200, got 401`. */
export const failureLines = ({ failures }: Report): string[] =>
  failures.flatMap(({ step, differences }) =>
    differences.map(({ of, expected, got }) => `${step} ${of}: expected ${expected}, got ${got}`),
  );
