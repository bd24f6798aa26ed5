/** `postern dev`: builds, runs, follows edits. A broken edit is reported, and what ran last goes on running. */
import path from "node:path";
import { compile } from "../compiler/compile.ts";
import type { Outcome } from "../outcome.ts";
import { visible } from "../visible.ts";
import { accessLine } from "./access-line.ts";
import { openDoor } from "./door.ts";
import { generations } from "./generations.ts";
import { startServices } from "./services.ts";
import { watch } from "./watch.ts";
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
  const log = json ? (line: string) => console.log(line) : (line: string) => console.log(visible(accessLine(line)));
  const tell = (line: string) => console.error(line);
  const tellOf = (line: string) => tell(visible(line));
  const stopped = untilStopped();
  const { dev: sample, values } = compile(root, env).environment.value;

  const door = await openDoor(port);
  const loop = generations(root, env, door, log, tell);
  const urls = Object.values(values).flat();
  const services = startServices(sample.services, urls, root, tellOf);
  const first = loop.next();
  // From here on, so that no edit is lost between the first reading and the first answer.
  const follow = watch(
    ["routes", "functions", ".secrets"].map((it) => path.join(root, it)),
    async () => {
      await first.catch(() => {});
      await loop.next();
    },
  );
  // Whoever stops the loop before it is ready does not wait for services that never come.
  const ready = Promise.all([first, services.ready]).then(([compiled]) => compiled);
  try {
    const compiled = await Promise.race([ready, stopped]);
    if (compiled) {
      const ms = performance.now() - started;
      console.log(json ? JSON.stringify({ type: "ready", url: door.url }) : welcome(compiled, door.url, ms));
    }
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
