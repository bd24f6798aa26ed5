/** Runs the gateway locally and rebuilds it after each edit. An invalid edit is reported, and the previous version keeps running. */
import path from "node:path";
import { type Cloud, startCloud } from "../cloud/cloud.ts";
import { compile } from "../compiler/compile.ts";
import { count } from "../diagnostics/report.ts";
import { project } from "../project/project.ts";
import { firstOf, type Stages } from "../terminal/stages.ts";
import { print, printJson, printLine, toOneLine } from "../terminal/terminal.ts";
import { formatAccessLine } from "./access-line.ts";
import { calledUrls } from "./called-urls.ts";
import { devLoop } from "./dev-loop.ts";
import { startServices } from "./services.ts";
import { watch } from "./watch.ts";
import { welcome } from "./welcome.ts";

export interface LoopOptions {
  readonly root: string;
  readonly env: string;
  /** 0 for any free port. */
  readonly port: number;
  /** The percentage of requests that an edit receives. */
  readonly split: number;
  /** The number of isolates of each Worker. */
  readonly isolates: number;
  readonly json: boolean;
}

/**
 * Runs until `stopped` resolves.
 * @throws when it cannot start: no manifest, a port in use, a problem in a file that all tiers share
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
  // Bundling takes as long as the start of the runtime and does not depend on it, so both run at once.
  stages.begin(`bundle ${count(compiled.tiers.length, "gate")}, and start the runtime`);
  const loop = devLoop({
    root,
    env,
    cloud,
    split: options.split,
    print: stages.say,
    bundled: (worker) => !isReady && stages.step(`bundle ${worker}`),
  });
  const { services: commands } = compiled.environment.value.dev;
  const services = startServices(commands, calledUrls(compiled), root, tellOf);
  const first = loop.rebuild(compiled);
  // Watching starts before the first build ends, so that no edit in between is missed.
  const follow = watch(
    ["routes", "functions", ".secrets", ...Object.values(project().folders)].map((it) => path.join(root, it)),
    async () => {
      await first.catch(() => {});
      await loop.rebuild();
    },
  );
  // A user who stops the loop early does not wait for services that never start.
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
    // A rebuild in progress is not awaited: closing the cloud ends what it started.
    await Promise.all([follow.stop(), first.catch(() => {}), closed(cloud)]);
  }
};

const closed = async (cloud: Promise<Cloud>): Promise<void> => {
  const running = await cloud.catch(() => undefined);
  await running?.close();
};
