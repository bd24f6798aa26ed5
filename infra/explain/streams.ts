/** Streams of the Workers runtime that Node does not have, for a gate that is run here. */

/** As the runtime's FixedLengthStream: what comes in goes out. Lengths are the client's business, and here it is one whole body. */
class FixedLengthStream extends TransformStream<Uint8Array, Uint8Array> {
  // It is given the length, which a TransformStream would take for something else.
  // biome-ignore lint/complexity/noUselessConstructor: it leaves out what it is given
  constructor() {
    super();
  }
}

class IdentityTransformStream extends TransformStream<Uint8Array, Uint8Array> {}

/** Gives this process those that it lacks. */
export const provideStreams = (): void => {
  const here = globalThis as { FixedLengthStream?: unknown; IdentityTransformStream?: unknown };
  here.FixedLengthStream ??= FixedLengthStream;
  here.IdentityTransformStream ??= IdentityTransformStream;
};
