/** Passes a refusal from a Durable Object to its caller. Of a thrown error, only the message would arrive. */
import { Refusal } from "../model/refusal.ts";

export interface Refused {
  readonly refused: string;
}

/** Methods that return a refusal instead of throwing it. */
export type Refusing<T> = {
  readonly [K in keyof T]: T[K] extends (...args: infer A) => Promise<infer R>
    ? (...args: A) => Promise<R | Refused>
    : never;
};

/** In the object: returns the refusal instead of throwing it. */
export const returnRefusal = async <T>(work: () => Promise<T>): Promise<T | Refused> => {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Refusal) return { refused: error.message };
    throw error;
  }
};

/**
 * In the caller: throws a returned refusal.
 * @throws Refusal
 */
export const throwRefusal = <T>(it: T | Refused): T => {
  if (isRefused(it)) throw new Refusal(it.refused);
  return it;
};

const isRefused = (it: unknown): it is Refused => typeof it === "object" && it !== null && "refused" in it;
