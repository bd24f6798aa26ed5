/** Builds, runs and follows edits. A broken edit is reported, and what ran last goes on running. */
import path from "node:path";
import { type Cloud, startCloud } from "../cloud/cloud.ts";
import { compile } from "../compiler/compile.ts";
import { firstOf, type Stages } from "../terminal/stages.ts";
import { print, printJson, printLine, toOneLine } from "../terminal/terminal.ts";
import { formatAccessLine } from "./access-line.ts";
import { devLoop } from "./dev-loop.ts";
import { startServices } from "./services.ts";
import { watch } from "./watch.ts";
import { welcome } from "./welcome.ts";

export interface LoopOptions {
  readonly root: string;
  readonly env: string;
  /** 0 for a free one. */
  readonly port: number;
  /** What edits get of the requests, in per cent. */
  readonly split: number;
  /** Of each Worker. */
  readonly isolates: number;
  readonly json: boolean;
}

/**
 * Runs until `stopped` resolves.
 * @throws where it cannot begin: no manifest, a port that is taken, a file of all tiers that is broken
 */
export const runLoop = async (options: LoopOptions, stages: Stages, stopped: Promise<void>): Promise<void> => {
  const { root, env, json } = options;
  const started = performance.now();
  const tellOf = (line: string) => stages.say(toOneLine(line));
  stages.begin(`compile routes/ for ${env}`);
  const compiled = compile(root, env);
  const opened = Promise.withResolvers<void>();
  let isReady = false;
  const cloud = startCloud({
    folder: path.join(root, ".state", env),
    edgePort: options.port,
    edgeOption: "--port",
    opened: opened.promise,
    isolates: options.isolates,
    log: (line) => (json ? printLine(line) : print(formatAccessLine(line))),
    report: tellOf,
    starting: (workers) => !isReady && stages.begin(`start ${firstOf(workers)}`),
  });
  // Bundling takes as long as the start of the runtime, and needs nothing of it.
  stages.begin(`bundle ${compiled.tiers.length} gates, and start the runtime`);
  const loop = devLoop({
    root,
    env,
    cloud,
    split: options.split,
    print: stages.say,
    bundled: (worker) => !isReady && stages.step(`bundle ${worker}`),
  });
  const { dev: sample, values } = compiled.environment.value;
  const services = startServices(sample.services, Object.values(values).flat(), root, tellOf);
  const first = loop.rebuild(compiled);
  // From here on, so that no edit is lost between the first reading and the first answer.
  const follow = watch(
    ["routes", "functions", ".secrets"].map((it) => path.join(root, it)),
    async () => {
      await first.catch(() => {});
      await loop.rebuild();
    },
  );
  // Whoever stops the loop before it is ready does not wait for services that never come.
  const ready = Promise.all([first, cloud, services.ready]);
  try {
    const running = await Promise.race([ready, stopped]);
    if (running) {
      const [generation, { edge }] = running;
      isReady = true;
      opened.resolve();
      stages.end();
      if (json) printJson({ type: "ready", url: edge });
      else print(welcome(generation ?? compiled, edge, performance.now() - started));
    }
    await stopped;
  } finally {
    stages.end();
    services.stop();
    loop.stop();
    // Nobody waits for an edit that is on its way: what it has begun ends with the cloud.
    await Promise.all([follow.stop(), first.catch(() => {}), closed(cloud)]);
  }
};

const closed = async (cloud: Promise<Cloud>): Promise<void> => {
  const running = await cloud.catch(() => undefined);
  await running?.close();
};
