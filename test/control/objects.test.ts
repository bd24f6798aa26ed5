/** Calls of control's objects, which may still run the release before this one. */
import { expect, it } from "vitest";
import { type Namespace, objectOf } from "../../functions/control/rpc/objects.ts";

interface Counter {
  readonly add: (by: number, more?: number) => number;
}

const objectWith = (stub: object) => objectOf<Counter>({ getByName: () => stub } as unknown as Namespace<Counter>, "a");

/** What the runtime throws at a method that the object's class lacks. */
const lacking = (method: string) => new TypeError(`The RPC receiver does not implement the method "${method}".`);

it("are calls of the object's own methods", async () => {
  const calls: unknown[] = [];
  const stub = {
    add: async (...given: readonly number[]) => calls.push(given),
    invoke: () => expect.unreachable(),
  };
  expect(await objectWith(stub).add(2, 3)).toBe(1);
  expect(calls).toEqual([[2, 3]]);
});

it("are made by name where the object lacks the method, and there alone", async () => {
  const calls: unknown[] = [];
  const invoke = async (name: string, given: readonly unknown[]) => calls.push([name, given]);
  const older = { add: () => Promise.reject(lacking("add")), invoke };
  expect(await objectWith(older).add(2)).toBe(1);
  expect(calls).toEqual([["add", [2]]]);
  for (const error of [new TypeError("no number"), new Error("it does not implement the method")]) {
    const failing = { add: () => Promise.reject(error), invoke };
    await expect(objectWith(failing).add(2)).rejects.toBe(error);
  }
  expect(calls).toHaveLength(1);
});
