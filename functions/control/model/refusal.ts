/** The error of a refused command. */

/** A refused command; its message is for the operator. */
export class Refusal extends Error {
  override readonly name = "Refusal";
}
