/** A command line of `postern`, run in this process as a person's shell would run it: what it exits with, and what it writes. */
import { Readable } from "node:stream";
import { run } from "../infra/run.ts";
import { onTerminal } from "../infra/terminal/terminal.ts";

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

interface Given {
  /** Where relative files of the command line start from. */
  readonly cwd?: string;
  /** What is piped in. */
  readonly input?: string;
  /** Gets what has been written so far, at each write. */
  readonly onWrite?: (written: Pick<Ran, "out" | "err">) => void;
}

/** A folder and an input are the process's own, so only one command at a time may have them. */
export const postern = async (args: readonly string[], { cwd, input, onWrite }: Given = {}): Promise<Ran> => {
  const written = { out: "", err: "" };
  const into = (stream: keyof typeof written) => ({
    write: (text: string) => {
      written[stream] += text;
      onWrite?.(written);
    },
  });
  const before = process.cwd();
  const stdin = Object.getOwnPropertyDescriptor(process, "stdin") as PropertyDescriptor;
  if (cwd !== undefined) process.chdir(cwd);
  if (input !== undefined) Object.defineProperty(process, "stdin", { ...stdin, get: () => Readable.from([input]) });
  try {
    const code = await run(args, { stdout: into("out"), stderr: into("err") });
    return { code, ...written };
  } finally {
    if (cwd !== undefined) process.chdir(before);
    if (input !== undefined) Object.defineProperty(process, "stdin", stdin);
  }
};

/** Runs a function of a command without its progress lines. */
export const quietly = <T>(work: () => T): T => {
  const nowhere = { write: () => {} };
  return onTerminal({ stdout: nowhere, stderr: nowhere }, work);
};
