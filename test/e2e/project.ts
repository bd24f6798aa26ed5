/** Builds a project in a temporary folder and runs it in workerd, with real services behind it. */
import fs from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, onTestFinished } from "vitest";
import { type Cloud, type CloudOptions, startCloud } from "../../infra/cloud/cloud.ts";
import { type Compiled, compile } from "../../infra/compiler/compile.ts";
import { emit } from "../../infra/compiler/emit/emit.ts";
import { applyState } from "../../infra/dev/apply.ts";
import { signConsumers } from "../../infra/release/consumers/sign.ts";
import { until } from "../until.ts";

export type Files = Readonly<Record<string, string>>;

/**
 * One gateway for all tests of a file, and a service behind it that answers as each test says.
 * @param files of a project with a service at this address
 */
export const sharedProject = (files: (service: string) => Files, settings: ProjectOptions = {}) => {
  let running: RunningProject;
  let upstream: Service;
  let answer: http.RequestListener;
  beforeAll(async () => {
    upstream = await startService((request, response) => answer(request, response));
    running = await startProject(files(upstream.url), settings);
  });
  afterAll(async () => {
    await running?.stop();
    if (upstream) stopService(upstream);
  });
  /** @param listener how the service answers from now on; by default with `ok` */
  return (listener: http.RequestListener = (_, response) => response.end("ok")) => {
    answer = listener;
    running.lines.length = 0;
    return { ...running, service: upstream };
  };
};

/** Writes a project's files; gone with the test. */
export const writeProject = (files: Files): string => {
  const root = writeFiles(files);
  onTestFinished(() => removeProject(root));
  return root;
};

export const removeProject = (root: string): void => fs.rmSync(root, { recursive: true, force: true });

/** Writes a project's files, which stay until they are removed. */
export const writeFiles = (files: Files): string => {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), "postern-"));
  for (const [file, text] of Object.entries({ "routes/environments/local.yaml": "values: {}\n", ...files })) {
    fs.mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    fs.writeFileSync(path.join(root, file), text);
  }
  return root;
};

/** A manifest of one tier on localhost. */
export const manifest = (tier: string, body: string): string =>
  `api: postern/v1\ntier: ${tier}\nhosts: [localhost]\nbase: /${tier}\n${body}`;

export const compileProject = (files: Files): Compiled & { readonly root: string } => compileAt(writeProject(files));

const compileAt = (root: string): Compiled & { readonly root: string } => {
  const result = compile(root, "local");
  if (result.problems.length > 0) throw new Error(JSON.stringify(result.problems, null, 2));
  return { ...result, root };
};

export interface RunningProject {
  /** Of the front. */
  readonly url: string;
  readonly port: number;
  readonly refused: Readonly<Record<string, string>>;
  readonly lines: string[];
  readonly root: string;
  readonly cloud: Cloud;
  readonly stop: () => Promise<void>;
}

interface ProjectOptions {
  /** Has the emitted folders, to break something there. */
  readonly onEmitted?: (folder: string) => void;
  /** Serves one gate without its front, as a gate with `entry: zone` would be. */
  readonly onlyGate?: string;
  /** Folder of the state, for tests that restart on it. */
  readonly stateFolder?: string;
  readonly secrets?: Readonly<Record<string, string>>;
  /** Delays of production. */
  readonly realism?: CloudOptions["realism"];
  /** Workers that upstreams name: name → source file. */
  readonly others?: Readonly<Record<string, string>>;
}

/**
 * Runs a project's front and gates until the test ends.
 */
export const runProject = async (files: Files, settings: ProjectOptions = {}): Promise<RunningProject> => {
  const running = await startProject(files, settings);
  onTestFinished(running.stop);
  return running;
};

/** Runs a project's front and gates until `stop`: for a `beforeAll` whose `afterAll` stops it, so that a table of requests meets one. */
export const startProject = async (
  files: Files,
  { onEmitted, onlyGate, stateFolder, secrets = {}, others: extraWorkers = {}, realism = null }: ProjectOptions = {},
): Promise<RunningProject> => {
  const root = writeFiles(files);
  const result = compileAt(root);
  const emitted = await emit(result.root, result);
  onEmitted?.(path.join(result.root, ".build/local"));
  const lines: string[] = [];
  const log = (line: string) => lines.push(line);
  const folder = stateFolder ?? path.join(result.root, ".state");
  const cloud = await startCloud({ folder, edgePort: 0, log, report: log, realism });
  const stop = async () => {
    await cloud.close();
    removeProject(root);
  };
  const { refused } = await applyState(cloud, {
    emitted: onlyGate ? emitted.filter((it) => it.kind === "gate" && it.tiers.includes(onlyGate)) : emitted,
    extraWorkers,
    consumers: signConsumers(root, result.environment, result.consumers),
    namespaces: result.environment.value.kv,
    secrets,
    split: 100,
  });
  for (const reason of Object.values(refused)) log(reason);
  if (onlyGate)
    for (const name of cloud.control.account().workers.keys())
      await cloud.control.changeSettings(name, { routes: [{ id: "alone", pattern: "*/*" }] });
  const port = Number(new URL(cloud.edge).port);
  return { url: cloud.edge, port, refused, lines, root, cloud, stop };
};

/** What front and gates logged, as data. */
export const logRecords = ({ lines }: Pick<RunningProject, "lines">) =>
  lines.flatMap((line) => (line.startsWith("{") ? [JSON.parse(line)] : []));

/** Waits for the access line of a request, since its response may arrive earlier. */
export const findAccessLine = async (project: Pick<RunningProject, "lines">, request: string) => {
  const found = () => logRecords(project).find((it) => it.type === "access" && it.request === request);
  await until(() => found() !== undefined, "the access line is written");
  return found();
};

export interface Service {
  readonly url: string;
  readonly server: http.Server;
}

/** A business service on this machine, until the test ends. */
export const runService = async (answer: http.RequestListener): Promise<Service> => {
  const running = await startService(answer);
  onTestFinished(() => stopService(running));
  return running;
};

export const stopService = ({ server }: Service): void => {
  server.closeAllConnections();
  server.close();
};

export const startService = async (answer: http.RequestListener): Promise<Service> => {
  // The service closes no connection by itself: a gate that uses it in that moment would get no response.
  const server = http.createServer({ keepAliveTimeout: 0 }, answer);
  await new Promise<void>((listening) => server.listen(0, "localhost", listening));
  return { url: `http://localhost:${(server.address() as AddressInfo).port}`, server };
};

/** Resident memory in MiB of the workerd that this process started. */
export const workerdMemory = (): number => {
  for (const pid of fs.readdirSync("/proc").filter((name) => /^\d+$/.test(name)))
    try {
      const status = fs.readFileSync(`/proc/${pid}/status`, "utf8");
      const parent = Number(/^PPid:\s+(\d+)/m.exec(status)?.[1]);
      const resident = /^VmRSS:\s+(\d+)/m.exec(status)?.[1];
      if (/^Name:\s+workerd/m.test(status) && parent === process.pid && resident) return Number(resident) / 1024;
    } catch {
      // It ended while the list was read.
    }
  throw new Error("no workerd runs under this process");
};
