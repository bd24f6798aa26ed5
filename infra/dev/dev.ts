/** `postern dev`: builds, runs, follows edits. A broken edit is reported, and what ran last goes on running. */
import path from "node:path";
import { startCloud } from "../cloud/cloud.ts";
import { compile } from "../compiler/compile.ts";
import { countOf, portOf, shareOf } from "../terminal/arguments.ts";
import type { Outcome } from "../terminal/outcome.ts";
import { untilStopped } from "../terminal/signals.ts";
import { oneLine, print, printJson, printLine, warn } from "../terminal/terminal.ts";
import { accessLine } from "./access-line.ts";
import { generations } from "./generations.ts";
import { startServices } from "./services.ts";
import { watch } from "./watch.ts";
import { welcome } from "./welcome.ts";

interface Options {
  readonly root: string;
  readonly env: string;
  readonly port: string;
  readonly split: string;
  readonly isolates: string;
  readonly json?: true | undefined;
}

export const dev = async ({ root, env, json, ...given }: Options): Promise<Outcome> => {
  const started = performance.now();
  const port = portOf(given.port, "--port");
  const split = shareOf(given.split, "--split");
  const log = (line: string) => (json ? printLine(line) : print(accessLine(line)));
  const tell = warn;
  const tellOf = (line: string) => tell(oneLine(line));
  const stopped = untilStopped();
  const { dev: sample, values } = compile(root, env).environment.value;

  const cloud = await startCloud({
    folder: path.join(root, ".state", env),
    edgePort: port,
    isolates: countOf(given.isolates, "--isolates", 16),
    log,
    tell: tellOf,
  });
  const loop = generations(root, env, cloud, split, tell);
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
      if (json) printJson({ type: "ready", url: cloud.edge });
      else print(welcome(compiled, cloud.edge, ms));
    }
    await stopped;
  } finally {
    services.stop();
    loop.stop();
    // Nobody waits for an edit that is on its way: what it has begun ends with the cloud.
    await Promise.all([follow.stop(), first.catch(() => {}), cloud.close()]);
  }
  return { exitCode: 0, text: "", data: { type: "stopped" } };
};
