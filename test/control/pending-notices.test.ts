/** Notices that the outbox has not taken are stored beside the state, and never exceed the size of a stored value. */
import { expect, it } from "vitest";
import type { Notice } from "../../functions/control/notifications/notification.ts";
import { openPendingNotices } from "../../functions/control/notifications/pending-notices.ts";

const pendingOf = () => {
  const stored = new Map<string, unknown>();
  const storage = {
    get: async (key: string) => structuredClone(stored.get(key)),
    put: async (key: string, value: unknown) => void stored.set(key, structuredClone(value)),
  } as unknown as Parameters<typeof openPendingNotices>[0];
  const taken: string[] = [];
  const it = openPendingNotices(
    storage,
    async ({ id }) => void taken.push(id),
    (work) => work(),
  );
  const add = async (chars: number): Promise<void> => {
    const why = "\u4e00".repeat(chars);
    const record = await it.beside(
      (count) =>
        ({ id: `msg_${count}`, type: "rollout.failed", at: 0, subject: "a", data: { why } }) as unknown as Notice,
    );
    for (const [key, value] of Object.entries(record)) stored.set(key, value);
  };
  const size = (): number => JSON.stringify([...stored.values()]).length;
  return { add, size, taken, notify: it.notify };
};

it("keeps the newest fifty", async () => {
  const { add, taken, notify } = pendingOf();
  for (let count = 0; count < 60; count++) await add(10);
  expect(await notify()).toBe(true);
  expect([taken.length, taken[0], taken.at(-1)]).toEqual([50, "msg_11", "msg_60"]);
});

it("keeps fewer where they are long, so that the state beside them can be stored", async () => {
  const { add, size, taken, notify } = pendingOf();
  for (let count = 0; count < 60; count++) await add(38_000);
  expect(2 * size()).toBeLessThan(2 * 2 ** 20);
  await notify();
  expect([taken.length, taken.at(-1)]).toEqual([21, "msg_60"]);
});
