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
