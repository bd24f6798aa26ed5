/** A command that does not fit the state it meets. */

/** A refused command, for who asked. */
export class Refusal extends Error {
  override readonly name = "Refusal";
}
