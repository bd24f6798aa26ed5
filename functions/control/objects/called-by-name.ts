/** Base class of control's Durable Objects. For one release it also accepts calls by name, from a Worker that still runs the previous release. */
import { DurableObject } from "cloudflare:workers";
import type { WithMethods } from "../rpc/objects.ts";
import type { Bindings } from "../wiring/bindings.ts";

/** A class of objects with the RPC methods of `T`. */
export type ObjectClass<T extends object> = new (context: DurableObjectState, env: Bindings) => WithMethods<T>;

/** Methods that the runtime calls itself. */
const reserved: ReadonlySet<string> = new Set(["constructor", "alarm"]);

/** Delete it, and derive from `DurableObject`, after one release. */
export abstract class CalledByName extends DurableObject<Bindings> {
  /** @throws TypeError if the class has no such RPC method */
  async invoke(name: string, args: readonly unknown[]): Promise<unknown> {
    const methods = Object.getPrototypeOf(this);
    if (reserved.has(name) || !Object.hasOwn(methods, name)) throw new TypeError(`there is no method ${name}`);
    return Reflect.apply(methods[name], this, args);
  }
}
