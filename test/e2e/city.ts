/** A project in a folder of its own, built and run in workerd, with real services behind it. */
import fs from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import os from "node:os";
import path from "node:path";
import { onTestFinished } from "vitest";
import { type Compiled, compile } from "../../infra/compiler/compile.ts";
import { type Emitted, emit } from "../../infra/compiler/emit.ts";
import { startMesh } from "../../infra/dev/mesh.ts";
import { type States, states } from "../../infra/dev/state.ts";

export type Files = Readonly<Record<string, string>>;

/** Writes a project's files; gone with the test. */
export const project = (files: Files): string => {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), "postern-"));
  onTestFinished(() => fs.rmSync(root, { recursive: true, force: true }));
  for (const [file, text] of Object.entries({ "routes/environments/local.yaml": "values: {}\n", ...files })) {
    fs.mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    fs.writeFileSync(path.join(root, file), text);
  }
  return root;
};

/** A manifest of one tier on localhost. */
export const manifest = (tier: string, body: string): string =>
  `api: postern/v1\ntier: ${tier}\nhosts: [localhost]\nbase: /${tier}\n${body}`;

export const compiled = (files: Files): Compiled & { readonly root: string } => {
  const root = project(files);
  const result = compile(root, "local");
  if (result.problems.length > 0) throw new Error(JSON.stringify(result.problems, null, 2));
  return { ...result, root };
};

export interface City {
  /** Of the front. */
  readonly url: string;
  readonly port: number;
  readonly refused: Readonly<Record<string, string>>;
  readonly lines: string[];
  readonly root: string;
  readonly states: States;
  readonly stop: () => Promise<void>;
}

interface Settings {
  /** Has the emitted folders, to break something there. */
  readonly change?: (folder: string) => void;
  /** A gate that is served by itself, as one with `entry: zone` would be, without its front. */
  readonly alone?: string;
  /** Where counts are kept, for who wants to find them again. */
  readonly counts?: string;
  readonly secrets?: Readonly<Record<string, string>>;
}

/**
 * Runs a project's front and gates.
 */
export const city = async (files: Files, { change, alone, counts, secrets = {} }: Settings = {}): Promise<City> => {
  const result = compiled(files);
  const emitted = await emit(result.root, result);
  change?.(path.join(result.root, ".build/local"));
  const of = (kind: Emitted["kind"]) => emitted.filter((it) => it.kind === kind);
  const lines: string[] = [];
  const state = states(counts ?? path.join(result.root, ".state"), (line) => lines.push(line));
  await state.turnTo(of("state"));
  const mesh = await startMesh({
    workers: alone ? of("gate").filter(({ tiers }) => tiers.includes(alone)) : [...of("front"), ...of("gate")],
    registry: state.registry,
    secrets,
    others: {},
    consumers: result.consumers,
    log: (line) => lines.push(line),
  });
  const stop = async () => {
    await mesh.dispose();
    await state.dispose();
  };
  onTestFinished(stop);
  const port = Number(mesh.url.port);
  return {
    url: `http://localhost:${port}`,
    port,
    refused: mesh.refused,
    lines,
    root: result.root,
    states: state,
    stop,
  };
};

export interface Service {
  readonly url: string;
  readonly server: http.Server;
}

/** A business service on this machine. */
export const service = async (answer: http.RequestListener): Promise<Service> => {
  const server = http.createServer(answer);
  await new Promise<void>((listening) => server.listen(0, "localhost", listening));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
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

/** Waits for it, as long as a slow machine may need: twenty seconds. */
export const until = async (holds: () => boolean, what: string): Promise<void> => {
  for (let tries = 0; tries < 800; tries++) {
    if (holds()) return;
    await new Promise((wake) => setTimeout(wake, 25));
  }
  throw new Error(`it never came to this: ${what}`);
};
