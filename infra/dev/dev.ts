/** `postern dev`: checks its options and says what it begins with; the loop itself takes a second to load. */
import { expectFree } from "../cloud/ingress/listen.ts";
import { parseCount, parsePercent, parsePort } from "../terminal/arguments.ts";
import type { Outcome } from "../terminal/outcome.ts";
import { untilStopped } from "../terminal/signals.ts";
import { openStages } from "../terminal/stages.ts";

interface DevOptions {
  readonly root: string;
  readonly env: string;
  readonly port: string;
  readonly split: string;
  readonly isolates: string;
  readonly json?: true | undefined;
}

export const dev = async ({ root, env, json, ...options }: DevOptions): Promise<Outcome> => {
  const port = parsePort(options.port, "--port");
  const split = parsePercent(options.split, "--split");
  const isolates = parseCount(options.isolates, "--isolates", 16);
  await expectFree(port, "localhost", "--port");
  const stages = openStages({ quiet: json });
  const stopped = untilStopped();
  stages.begin("load the compiler and the runtime");
  const { runLoop } = await import("./loop.ts");
  await runLoop({ root, env, port, split, isolates, json: json === true }, stages, stopped);
  return { exitCode: 0, text: "", data: { type: "stopped" } };
};
