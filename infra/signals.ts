/** Ends what runs until it is told to: in order at the first signal, at once at the second. */

/** The listeners stay, or those of other libraries would end the process. */
export const untilStopped = (): Promise<void> =>
  new Promise((stop) => {
    let asked = false;
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
      process.on(signal, () => {
        if (asked) process.exit(130);
        asked = true;
        stop();
      });
  });

/** Ends at a signal as a program ends by itself, so that what it has begun is ended along with it. */
export const endAtSignals = (): void => {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => process.exit(130));
};

/** Miniflare would end the process at a signal. Who runs it decides that; what it does at the process's exit stays. */
export const deafToSignals = <T>(make: () => T): T => {
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  const before = signals.map((signal) => process.listeners(signal));
  const made = make();
  for (const [index, signal] of signals.entries())
    for (const listener of process.listeners(signal))
      if (!before[index]?.includes(listener)) process.off(signal, listener);
  return made;
};
