/** Calls of an object's functions by name, from the Worker that it belongs to. */

type Calls = { readonly [name: string]: unknown };

/** A class of objects whose functions are reached by `invoke`. */
export interface Namespace<T> {
  readonly getByName: (name: string) => {
    invoke(name: string, given: readonly unknown[]): Promise<unknown>;
  };
  readonly _type?: T;
}

type Remote<T> = {
  readonly [K in keyof T]: T[K] extends (...given: infer A) => infer R ? (...given: A) => Promise<Awaited<R>> : never;
};

/** An object as if its functions were here. What they throw arrives as an Error with their message. */
export const remote = <T extends object>(namespace: Namespace<T>, name: string): Remote<T> =>
  new Proxy({} as Calls, {
    get:
      (_, call: string) =>
      (...given: unknown[]) =>
        namespace.getByName(name).invoke(call, given),
  }) as Remote<T>;
