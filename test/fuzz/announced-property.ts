/** Properties that announce each input before they check it, so that an input that never ends is known. */
import fc from "fast-check";
import type { Check } from "./target.ts";

let announce: (input: unknown) => void = () => {};

export const beforeEach = (listener: (input: unknown) => void): void => {
  announce = listener;
};

export const each = <T>(input: fc.Arbitrary<T>, check: Check<T>): fc.IAsyncProperty<unknown> =>
  fc.asyncProperty(input, async (it) => {
    announce(it);
    await check(it);
  }) as fc.IAsyncProperty<unknown>;
