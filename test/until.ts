/** Waits for a condition instead of a fixed time. */

/** Time limit on a slow computer. */
const maxMs = 120_000;

/** Polls until the condition holds, ever less often. */
export const until = async (
  holds: () => boolean | Promise<boolean>,
  what: string | (() => string),
  withinMs = maxMs,
): Promise<void> => {
  const end = performance.now() + withinMs;
  for (let pauseMs = 5; !(await holds()); pauseMs = Math.min(pauseMs * 1.5, 100)) {
    if (performance.now() > end) throw new Error(`it never came to this: ${typeof what === "string" ? what : what()}`);
    await new Promise((wake) => setTimeout(wake, pauseMs));
  }
};
