/** Ends what runs until it is told to: in order at the first signal, at once at the second. */

/** The listeners stay, or those of other libraries would end the process. */
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

/** Ends at a signal as a program ends by itself, so that what it has begun is ended along with it. */
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
 * npm and npx run a command by a shell, and pass a signal on to that alone: it ends, and the command hears of nothing but
 * that it has another parent. Whoever starts it without them may leave it running.
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

/** Miniflare would end the process at a signal. Who runs it decides that; what it does at the process's exit stays. */
export const withoutSignalHandlers = <T>(create: () => T): T => {
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  const before = signals.map((signal) => process.listeners(signal));
  const created = create();
  for (const [index, signal] of signals.entries())
    for (const listener of process.listeners(signal))
      if (!before[index]?.includes(listener)) process.off(signal, listener);
  return created;
};
