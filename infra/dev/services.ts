/** Starts the business services of the environment, each in a process of its own, and ends them with the dev loop. */
import { type ChildProcess, spawn } from "node:child_process";
import net from "node:net";
import path from "node:path";
import { createInterface } from "node:readline";

export interface Services {
  /** Resolves when all services listen, or after ten seconds. */
  readonly ready: Promise<void>;
  readonly stop: () => void;
}

/**
 * @param commands name → command line
 * @param urls of services that gates call; those of this machine are waited for
 * @param report takes a line
 */
export const startServices = (
  commands: Readonly<Record<string, string>>,
  urls: readonly string[],
  root: string,
  report: (line: string) => void,
): Services => {
  const stopping = new AbortController();
  const children = Object.entries(commands).map(([name, command]) =>
    start(name, command, root, report, stopping.signal),
  );
  const stop = () => {
    stopping.abort();
    for (const { pid } of children) if (pid !== undefined) killGroup(pid);
  };
  // The services end with the dev loop, however that ends.
  process.once("exit", stop);
  return { stop, ready: waitForServices(urls, report) };
};

const waitForServices = async (urls: readonly string[], report: (line: string) => void): Promise<void> => {
  await Promise.all(
    localServices(urls).map(async (url) => {
      if (!(await isListening(portOf(url)))) report(`nothing answers at ${url}; requests that need it get a 502`);
    }),
  );
};

/** The origins of services on this machine, each once. */
export const localServices = (urls: readonly string[]): string[] => [
  ...new Set(
    urls
      .flatMap((url) => URL.parse(url) ?? [])
      .filter(({ hostname }) => hostname === "localhost" || hostname.endsWith(".localhost"))
      .map(({ origin }) => origin),
  ),
];

const portOf = (url: string): number => {
  const { port, protocol } = new URL(url);
  return Number(port || (protocol === "https:" ? 443 : 80));
};

const start = (
  name: string,
  command: string,
  root: string,
  report: (line: string) => void,
  stopping: AbortSignal,
): ChildProcess => {
  // A process group, so that ending it ends what the shell started.
  const child = spawn(command, {
    shell: true,
    cwd: root,
    env: { ...process.env, PATH: toolPath(root) },
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  for (const stream of [child.stdout, child.stderr])
    createInterface({ input: stream }).on("line", (line) => report(`[${name}] ${line}`));
  child.on("exit", (code, signal) => {
    if (!stopping.aborted) report(`[${name}] ended with ${code ?? signal}; restart the dev loop to start it again`);
  });
  return child;
};

/** `node` is the one that runs this. The project's own tools precede the system's. */
const toolPath = (root: string): string =>
  [path.dirname(process.execPath), path.join(root, "node_modules/.bin"), process.env.PATH].join(path.delimiter);

const killGroup = (pid: number): void => {
  try {
    process.kill(-pid);
  } catch {
    // The process has ended already.
  }
};

/** Tries to connect for ten seconds. */
const isListening = async (port: number): Promise<boolean> => {
  for (let tries = 0; tries < 100; tries++) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = net.connect(port, "localhost", () => resolve(true)).on("error", () => resolve(false));
      socket.on("connect", () => socket.destroy());
    });
    if (open) return true;
    await new Promise((wake) => setTimeout(wake, 100));
  }
  return false;
};
