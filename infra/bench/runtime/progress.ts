/** Shows progress on stderr: one line that changes on a terminal, one line for each subject elsewhere. */

export interface Progress {
  readonly at: (step: string) => void;
  readonly done: () => void;
}

export const startProgress = (what: string): Progress => {
  const started = performance.now();
  const { stderr } = process;
  return {
    at: (step) => {
      if (stderr.isTTY) stderr.write(`\r\u001b[K${what}: ${step}`);
    },
    done: () => {
      const seconds = ((performance.now() - started) / 1000).toFixed(0);
      stderr.write(`${stderr.isTTY ? "\r\u001b[K" : ""}${what}: done in ${seconds} s\n`);
    },
  };
};
