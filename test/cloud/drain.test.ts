/** A replaced machine ends when nobody uses it, and stays while somebody does. */
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { openDrain, parseConnectedPorts } from "../../infra/cloud/fleet/drain.ts";
import type { Machine } from "../../infra/cloud/machine/machine.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Only what a drain asks of a machine. */
const machine = (port: number) =>
  ({ id: `m${port}`, ports: [port], dispose: vi.fn(async () => {}) }) as unknown as Machine;

const never = new Promise<void>(() => {});

it("outlives a request that lasts, and the others do not wait for that one", async () => {
  const used = new Set([1]);
  const reports: string[] = [];
  const drain = openDrain({
    whenIdle: () => never,
    timeoutMs: null,
    report: (line) => reports.push(line),
    portsInUse: () => used,
  });
  const busy = machine(1);
  drain.retire(busy);
  for (let port = 2; port < 60; port++) {
    drain.retire(machine(port));
    await vi.advanceTimersByTimeAsync(400);
  }
  expect(drain.machines()).toContain(busy);
  expect(drain.machines().length).toBeLessThan(12);
  await vi.advanceTimersByTimeAsync(3_600_000);
  expect(drain.machines()).toEqual([busy]);
  used.clear();
  await vi.advanceTimersByTimeAsync(4500);
  expect(busy.dispose).toHaveBeenCalledOnce();
  expect(drain.machines()).toEqual([]);
  expect(reports).toEqual([]);
});

it("does not go between two uses", async () => {
  let used = new Set([1]);
  const drain = openDrain({ whenIdle: () => never, timeoutMs: null, report: () => {}, portsInUse: () => used });
  drain.retire(machine(1));
  for (let turn = 0; turn < 20; turn++) {
    used = new Set(turn % 2 ? [1] : []);
    await vi.advanceTimersByTimeAsync(600);
  }
  expect(drain.machines()).toHaveLength(1);
});

it("goes by itself where the system does not tell who uses it, once all that had begun has ended", async () => {
  let settle = () => {};
  const settled = new Promise<void>((resolve) => {
    settle = resolve;
  });
  const drain = openDrain({ whenIdle: () => settled, timeoutMs: null, report: () => {}, portsInUse: () => undefined });
  drain.retire(machine(1));
  await vi.advanceTimersByTimeAsync(60_000);
  expect(drain.machines()).toHaveLength(1);
  settle();
  await vi.advanceTimersByTimeAsync(3100);
  expect(drain.machines()).toEqual([]);
});

it("is closed as the oldest of too many that are used, and that is said", async () => {
  const reports: string[] = [];
  const drain = openDrain({
    whenIdle: () => never,
    timeoutMs: null,
    report: (line) => reports.push(line),
    portsInUse: () => new Set(Array.from({ length: 40 }, (_, index) => index)),
  });
  for (let port = 0; port < 18; port++) drain.retire(machine(port));
  await vi.advanceTimersByTimeAsync(3100);
  expect(drain.machines().map(({ id }) => id)).toEqual(Array.from({ length: 16 }, (_, index) => `m${index + 2}`));
  expect(reports[0]).toBe("machine m0 is closed with requests under way: 16 others wait for theirs");
});

it("reads the ports of established connections, and of no others", () => {
  const table = `  sl  local_address rem_address   st tx_queue rx_queue
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000
   1: 0100007F:1F91 0100007F:D431 01 00000000:00000000
  12: 0100007F:D431 0100007F:1F91 01 00000000:00000000
   3: 0100007F:1F92 0100007F:D432 06 00000000:00000000
`;
  expect([...parseConnectedPorts(table)]).toEqual([0x1f91, 0xd431]);
});
