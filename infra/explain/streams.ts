/** Polyfills for streams of the Workers runtime that Node lacks. */

/** The runtime's FixedLengthStream without the length check. */
class FixedLengthStream extends TransformStream<Uint8Array, Uint8Array> {
  // Ignores the length argument, which TransformStream would misinterpret.
  // biome-ignore lint/complexity/noUselessConstructor: it leaves out what it is given
  constructor() {
    super();
  }
}

class IdentityTransformStream extends TransformStream<Uint8Array, Uint8Array> {}

/** Installs the missing stream classes globally. */
export const provideStreams = (): void => {
  const here = globalThis as { FixedLengthStream?: unknown; IdentityTransformStream?: unknown };
  here.FixedLengthStream ??= FixedLengthStream;
  here.IdentityTransformStream ??= IdentityTransformStream;
};
