/** How tests wait: for what they look at, and no fixed time. */

/** As long as a slow machine may need. */
const maxMs = 120_000;

/**
 * Looks again and again until it holds, ever less often.
 * @param what it is, in the words of who reads that it never came
 */
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
