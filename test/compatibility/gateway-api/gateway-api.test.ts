/** Imports each row's folder, checks what is listed, and requests a running front and gate. */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect } from "vitest";
import { explain } from "../../../infra/commands/authoring/explain.ts";
import { importGatewayApiFiles } from "../../../infra/commands/review/import.ts";
import type { Gap } from "../../../infra/review/import/imported.ts";
import type { Outcome } from "../../../infra/terminal/outcome.ts";
import { send } from "../../e2e/client.ts";
import { type RunningProject, type Service, startProject, startService, stopService } from "../../e2e/project.ts";
import { table } from "../row.ts";
import type { Ask, Source } from "./resources.ts";
import { rows } from "./rows.ts";

interface Done {
  readonly root: string;
  readonly outcome: Outcome;
}

const done = new Map<Source, Done>();
let service: Service;
let project: RunningProject;

beforeAll(async () => {
  service = await startService((request, response) => response.end(request.url?.split("/")[1]));
  for (const row of rows) done.set(row, imported(row));
  const running = [...done].filter(([row]) => row.asks);
  const manifests = running.flatMap(([, { root }]) =>
    manifestsIn(root).map(
      (file) => [file, `${fs.readFileSync(path.join(root, file), "utf8")}isolation: shared\n`] as const,
    ),
  );
  expect(new Set(manifests.map(([file]) => file)).size, "tiers of rows have names of their own").toBe(manifests.length);
  project = await startProject(Object.fromEntries(manifests));
}, 120_000);

afterAll(async () => {
  await project?.stop();
  if (service) stopService(service);
  for (const { root } of done.values()) fs.rmSync(root, { recursive: true, force: true });
});

const imported = (row: Source): Done => {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), "postern-"));
  const write = (file: string, text: string | Buffer) => {
    fs.mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    fs.writeFileSync(path.join(root, file), text);
  };
  const values = Object.fromEntries((row.values ?? []).map((name) => [name, sample(name)]));
  write("routes/environments/local.yaml", `values: ${JSON.stringify(values)}\n`);
  for (const [file, text] of Object.entries(row.files)) write(path.join("k8s", file), text);
  const outcome = importGatewayApiFiles(path.join(root, "k8s"), {
    root,
    host: row.host === undefined ? [] : [row.host],
    serviceUrl: row.values ? undefined : `${service.url}/{name}`,
  });
  return { root, outcome };
};

/** Of a host or a Service. */
const sample = (name: string): string => (name.startsWith("host-") ? `${name}.example` : `https://${name}.example`);

const manifestsIn = (root: string): string[] =>
  fs
    .readdirSync(path.join(root, "routes"))
    .filter((name) => name.endsWith(".yaml"))
    .map((name) => `routes/${name}`);

const answered = async ([target]: Ask) => {
  const { host, pathname, search } = new URL(target);
  const { status, text, headers } = await send(project.port, { path: pathname + search, headers: { host } });
  return { status, body: text, location: headers.location };
};

/** What the gate would do over TLS: the status, and the upstream that is called. */
const explained = async ([target]: Ask, root: string): Promise<unknown> => {
  const { data } = await explain("GET", target, { root, env: "local", ip: "192.0.2.1" });
  const { status, upstream } = data as { status: number; upstream: { url: string } | null };
  return upstream ? new URL(upstream.url).pathname.split("/")[1] : status;
};

table(rows, async (row) => {
  const { root, outcome } = done.get(row) as Done;
  const { gaps, problems, values } = outcome.data as { gaps: Gap[]; problems: unknown[]; values: object };
  expect(problems).toEqual([]);
  const left = gaps.filter(({ kind }) => kind === "left-out").map(({ what }) => what);
  const wanted = row.leftOut ?? [];
  expect(left.filter((it) => !wanted.some((pattern) => pattern.test(it)))).toEqual([]);
  expect(wanted.filter((pattern) => !left.some((it) => pattern.test(it)))).toEqual([]);
  expect(outcome.exitCode).toBe(wanted.length === 0 ? 0 : 1);
  if (row.values) expect(Object.keys(values)).toEqual(row.values);
  for (const ask of row.asks ?? []) {
    const [target, answer] = ask;
    if (target.startsWith("https:")) {
      expect(await explained(ask, root), target).toEqual(typeof answer === "object" ? answer.status : answer);
      continue;
    }
    const { status, body, location } = await answered(ask);
    if (typeof answer === "string") expect([status, body], target).toEqual([200, answer]);
    else if (typeof answer === "number") expect(status, target).toBe(answer);
    else expect({ status, location }, target).toEqual(answer);
  }
});
