/** `postern cloud`: runs a local cloud until it is stopped. */
import path from "node:path";
import pc from "picocolors";
import type { ApiCall } from "../../cloud/api/api.ts";
import { formatAccessLine } from "../../dev/access-line.ts";
import { variablesOf } from "../../release/target.ts";
import { parseCount, parsePort } from "../../terminal/arguments.ts";
import type { Outcome } from "../../terminal/outcome.ts";
import { untilStopped } from "../../terminal/signals.ts";
import { firstOf, openStages } from "../../terminal/stages.ts";
import { print, printJson, printLine, toOneLine } from "../../terminal/terminal.ts";

interface CloudCommandOptions {
  readonly apiPort: string;
  readonly edgePort: string;
  readonly state: string;
  readonly isolates: string;
  readonly realism?: true | undefined;
  readonly json?: true | undefined;
}

/** Shorter than in production, except for KV's minute. */
const realism = { kvMs: 60_000, objectMs: 30, evictMs: 120_000 };

export const cloud = async (options: CloudCommandOptions): Promise<Outcome> => {
  const { json } = options;
  const started = performance.now();
  const apiPort = parsePort(options.apiPort, "--api-port");
  const edgePort = parsePort(options.edgePort, "--edge-port");
  const isolates = parseCount(options.isolates, "--isolates", 16);
  const folder = path.resolve(options.state);
  const stopped = untilStopped();
  const stages = openStages({ quiet: json });
  stages.begin(`start a local cloud on ${folder}`);
  let isReady = false;
  const { startCloud } = await import("../../cloud/cloud.ts");
  const output = (data: object, text: string) => (json ? printJson(data) : print(text));
  const it = await startCloud({
    folder,
    apiPort,
    edgePort,
    isolates,
    starting: (workers) => !isReady && stages.begin(`start ${firstOf(workers)}`),
    realism: options.realism ? realism : null,
    log: (line) => (json ? printLine(line) : print(formatAccessLine(line))),
    report: (line) => output({ type: "cloud", line }, pc.yellow(toOneLine(line))),
    onCall: (call) => output({ type: "call", ...call }, callLine(call)),
  });
  isReady = true;
  const ms = performance.now() - started;
  const variables = variablesOf(it.api, it.token);
  output(
    { type: "ready", api: it.api, edge: it.edge, workers: it.control.account().workers.size, variables },
    welcome(it, variables, ms),
  );
  await stopped;
  await it.close();
  return { exitCode: 0, text: "", data: { type: "stopped" } };
};

const callLine = ({ method, target, status, unknown, code }: ApiCall): string => {
  const paint = unknown ? pc.red : status < 400 ? pc.dim : pc.yellow;
  const why = unknown ? "  unknown to the local cloud" : code === undefined ? "" : `  code ${code}`;
  return paint(`${status} ${method.padEnd(6)} ${toOneLine(target)}${why}`);
};

const welcome = (
  {
    api,
    edge,
    control,
  }: {
    readonly api: string;
    readonly edge: string;
    readonly control: { readonly account: () => { readonly workers: ReadonlyMap<string, unknown> } };
  },
  variables: Readonly<Record<string, string>>,
  ms: number,
): string => `${pc.bold("local cloud")}  api ${api}  edge ${edge}  ${pc.dim(`${control.account().workers.size} Workers, ready in ${(ms / 1000).toFixed(1)} s`)}

In another shell:

${Object.entries(variables)
  .map(([name, value]) => `export ${name}=${value}`)
  .join("\n")}
npx wrangler whoami

A Worker is at ${edge.replace("//localhost", "//<name>.localhost")}, a version at <first eight digits>-<name>, a zone's host by its Host header.
Not enforced here: limits of CPU time, memory and sub-requests.
`;
