/** Runs tasks one at a time, in the order of their calls. */

/** A task that throws does not stop the tasks after it. */
export const oneAtATime = () => {
  let last: Promise<unknown> = Promise.resolve();
  return <T>(work: () => Promise<T>): Promise<T> => {
    const done = last.then(work);
    last = done.catch(() => {});
    return done;
  };
};
