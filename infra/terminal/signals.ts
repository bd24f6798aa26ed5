/** Ends a long-running command at a signal: in order at the first, at once at the second. */

/** The listeners stay installed, or those of other libraries would end the process. */
export const untilStopped = (): Promise<void> =>
  new Promise((stop) => {
    let isStopping = false;
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
      process.on(signal, () => {
        if (isStopping) process.exit(130);
        isStopping = true;
        stop();
      });
    onParentExit(stop);
  });

let isListening = false;

/** Exits at a signal as a program exits by itself, so that its child processes are ended with it. */
export const exitOnSignals = (): void => {
  // Several command lines may run in a process.
  if (isListening) return;
  isListening = true;
  const end = () => process.exit(130);
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, end);
  onParentExit(end);
};

const pollMs = 250;

/**
 * npm and npx run a command by a shell, and pass a signal to the shell alone. The shell ends, and the command only notices
 * that its parent has changed. A command that is started without npm may outlive its parent.
 */
const onParentExit = (callback: () => void): void => {
  if (process.env.npm_lifecycle_event === undefined) return;
  const parent = process.ppid;
  const poll = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(poll);
    callback();
  }, pollMs);
  poll.unref();
};

/**
 * Miniflare would end the process at a signal, which is for the caller to decide. Its handler of the process's exit stays.
 */
export const withoutSignalHandlers = <T>(create: () => T): T => {
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  const before = signals.map((signal) => process.listeners(signal));
  const created = create();
  for (const [index, signal] of signals.entries())
    for (const listener of process.listeners(signal))
      if (!before[index]?.includes(listener)) process.off(signal, listener);
  return created;
};
