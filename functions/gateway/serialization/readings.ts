/** Tries the readings of a text whose schema leaves open what the text stands for: `5` may be a number or a text, `a` a text or a list of one. */

/** Picks one of two readings; which one, differs from turn to turn. */
export type Choose = <T>(likely: () => T, other: () => T) => T;

/** Refuses a request whose values cannot be read. The detail is sent to the client, so it holds nothing that was sent. */
export class Unreadable extends Error {
  override readonly name = "Unreadable";
  readonly detail: string;
  /** The field it is about, as a pointer into the body (RFC 6901). */
  readonly pointer: string | undefined;
  constructor(detail: string, pointer?: string) {
    super(detail);
    this.detail = detail;
    this.pointer = pointer;
  }
}

export const repeated = (): Unreadable => new Unreadable("must not be sent more than once");

/** Later choices follow the last of these, so that a request costs sixteen readings at most. */
const maxChoices = 4;

export const accepted = Symbol("a reading holds");

/**
 * Reads again and again, each time with other choices, until a reading holds.
 * @returns `accepted`, or the likeliest reading, which may be an `Unreadable`
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
