/**
 * Tries the possible interpretations of a text when its schema is ambiguous: `5` may be a number or a text, `a` a
 * text or a list of one.
 */

/** Picks one of two interpretations; a different one on each attempt. */
export type Choose = <T>(likely: () => T, other: () => T) => T;

/**
 * Thrown when a value cannot be parsed. The detail is sent to the client, so it contains nothing from the request.
 */
export class Unreadable extends Error {
  override readonly name = "Unreadable";
  readonly detail: string;
  /** Pointer to the field in the body (RFC 6901). */
  readonly pointer: string | undefined;
  constructor(detail: string, pointer?: string) {
    super(detail);
    this.detail = detail;
    this.pointer = pointer;
  }
}

export const repeated = (): Unreadable => new Unreadable("must not be sent more than once");

/** Later choices follow the last of these, so that there are at most sixteen attempts. */
const maxChoices = 4;

export const accepted = Symbol("a reading holds");

/**
 * Parses with each combination of choices until a result is valid.
 * @returns `accepted`, or the most likely interpretation, which may be an `Unreadable`
 */
export const firstRefused = (read: (choose: Choose) => unknown, holds: (value: unknown) => boolean): unknown => {
  let refused: unknown;
  let most = 0;
  for (let turn = 0; turn < 2 ** Math.min(most, maxChoices) || turn === 0; turn++) {
    let choices = 0;
    const value = attempt(read, (likely, other) =>
      (turn >> Math.min(choices++, maxChoices - 1)) & 1 ? other() : likely(),
    );
    most = Math.max(most, choices);
    if (!(value instanceof Unreadable) && holds(value)) return accepted;
    if (turn === 0 || (refused instanceof Unreadable && !(value instanceof Unreadable))) refused = value;
  }
  return refused;
};

const attempt = (read: (choose: Choose) => unknown, choose: Choose): unknown => {
  try {
    return read(choose);
  } catch (error) {
    if (error instanceof Unreadable) return error;
    throw error;
  }
};
