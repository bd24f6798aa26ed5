/** Typed RPC calls of control's Durable Objects. For one release they also reach objects that still run the previous release. */

/** Has the RPC methods of `T`. */
export type WithMethods<T extends object> = T & Rpc.DurableObjectBranded;

export type Namespace<T extends object> = DurableObjectNamespace<WithMethods<T>>;

/** The methods of `T` as RPC calls. The platform's own stub type is equivalent, but turns read-only tuples into arrays. */
export type Remote<T extends object> = {
  readonly [K in keyof T]: T[K] extends (...args: infer A) => infer R ? (...args: A) => Promise<Awaited<R>> : never;
};

/** The runtime's error for a missing method; it is thrown before the call runs. */
const lacksMethod = /does not implement the method/;

/**
 * The object of a name. Errors that it throws arrive with their message alone.
 *
 * While a deployment replaces control, the object may still run the previous release, which has only
 * `invoke(name, arguments)`, so that is called then. After one release `namespace.getByName(name)` is enough, and
 * `CalledByName` goes too.
 */
export const objectOf = <T extends object>(namespace: Namespace<T>, name: string): Remote<T> => {
  const stub: object = namespace.getByName(name);
  const objectClient = new Proxy(stub, {
    get:
      (_, method) =>
      async (...args: readonly unknown[]): Promise<unknown> => {
        try {
          return await Reflect.apply(Reflect.get(stub, method), stub, args);
        } catch (error) {
          if (!(error instanceof TypeError && lacksMethod.test(error.message))) throw error;
          return await Reflect.apply(Reflect.get(stub, "invoke"), stub, [method, args]);
        }
      },
  });
  return objectClient as Remote<T>;
};
