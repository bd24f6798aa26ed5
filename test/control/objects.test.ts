/** RPC calls of control's Durable Objects, which may still run the previous release. */
import { expect, it } from "vitest";
import { type Namespace, objectOf } from "../../functions/control/rpc/objects.ts";

interface Counter {
  readonly add: (by: number, more?: number) => number;
}

const objectWith = (stub: object) => objectOf<Counter>({ getByName: () => stub } as unknown as Namespace<Counter>, "a");

/** The runtime's error for a method that the object's class lacks. */
const missingMethod = (method: string) => new TypeError(`The RPC receiver does not implement the method "${method}".`);

it("a call uses the object's method", async () => {
  const calls: unknown[] = [];
  const stub = {
    add: async (...args: readonly number[]) => calls.push(args),
    invoke: () => expect.unreachable(),
  };
  expect(await objectWith(stub).add(2, 3)).toBe(1);
  expect(calls).toEqual([[2, 3]]);
});

it("a call goes through invoke only if the object lacks the method", async () => {
  const calls: unknown[] = [];
  const invoke = async (name: string, args: readonly unknown[]) => calls.push([name, args]);
  const older = { add: () => Promise.reject(missingMethod("add")), invoke };
  expect(await objectWith(older).add(2)).toBe(1);
  expect(calls).toEqual([["add", [2]]]);
  for (const error of [new TypeError("no number"), new Error("it does not implement the method")]) {
    const failing = { add: () => Promise.reject(error), invoke };
    await expect(objectWith(failing).add(2)).rejects.toBe(error);
  }
  expect(calls).toHaveLength(1);
});
