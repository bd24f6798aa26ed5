/** `postern dev`: builds, runs, follows edits. A broken edit is reported, and what ran last goes on running. */
import fs from "node:fs";
import path from "node:path";
import { compile } from "../compiler/compile.ts";
import type { Outcome } from "../outcome.ts";
import { accessLine } from "./access-line.ts";
import { openDoor } from "./door.ts";
import { generations } from "./generations.ts";
import { startServices } from "./services.ts";
import { welcome } from "./welcome.ts";

interface Options {
  readonly root: string;
  readonly env: string;
  readonly port: string;
  readonly json?: true | undefined;
}

export const dev = async ({ root, env, port: given, json }: Options): Promise<Outcome> => {
  const started = performance.now();
  const port = portOf(given);
  const log = json ? (line: string) => console.log(line) : (line: string) => console.log(accessLine(line));
  const tell = (line: string) => console.error(line);
  const stopped = untilStopped();
  const { dev: sample, values } = compile(root, env).environment.value;

  const door = await openDoor(port);
  const loop = generations(root, env, door, log, tell);
  const urls = Object.values(values).flat();
  const services = startServices(sample.services, urls, root, tell);
  const first = loop.next();
  // Whoever stops the loop before it is ready does not wait for services that never come.
  const ready = Promise.all([first, services.ready]).then(([compiled]) => compiled);
  try {
    const compiled = await Promise.race([ready, stopped]);
    if (compiled) {
      const ms = performance.now() - started;
      console.log(json ? JSON.stringify({ type: "ready", url: door.url }) : welcome(compiled, door.url, ms));
    }
    const follow = watch(root, loop.next);
    await stopped;
    await follow.stop();
  } finally {
    services.stop();
    await door.close();
    await first.catch(() => {});
    await loop.stop();
  }
  return { exitCode: 0, text: "", data: { type: "stopped" } };
};

const portOf = (text: string): number => {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535) throw new Error(`--port takes a number up to 65535, not "${text}"`);
  return port;
};

/** Editors write in bursts: a change waits a moment for its fellows, and a reload for the one before. */
const watch = (root: string, changed: () => Promise<unknown>) => {
  let timer: NodeJS.Timeout | undefined;
  let turn: Promise<unknown> = Promise.resolve();
  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      turn = turn.then(changed);
    }, 30);
  };
  const watchers = ["routes", "functions"]
    .map((folder) => path.join(root, folder))
    .filter((folder) => fs.existsSync(folder))
    .map((folder) => fs.watch(folder, { recursive: true }, soon));
  return {
    stop: async () => {
      clearTimeout(timer);
      for (const watcher of watchers) watcher.close();
      await turn;
    },
  };
};

/** The first signal ends the loop in order, the second one at once. The listeners stay, or other libraries' would end the process. */
const untilStopped = (): Promise<void> =>
  new Promise((stop) => {
    let asked = false;
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
      process.on(signal, () => {
        if (asked) process.exit(130);
        asked = true;
        stop();
      });
  });
