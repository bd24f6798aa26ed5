/** Work that is done one after the other, in the order in which it came. */

/** Work that throws keeps nothing that comes after it from being done. */
export const oneAtATime = () => {
  let last: Promise<unknown> = Promise.resolve();
  return <T>(work: () => Promise<T>): Promise<T> => {
    const done = last.then(work);
    last = done.catch(() => {});
    return done;
  };
};
