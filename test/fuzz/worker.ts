/** One slice of fuzzing in a thread. It announces each input before it is checked. */
import { parentPort, workerData } from "node:worker_threads";
import fc from "fast-check";
import { beforeEach } from "./announced-property.ts";
import { type Found, type SearchResult, search } from "./search.ts";
import type { GatewayAddress } from "./target.ts";
import { targets } from "./targets.ts";

export interface Task {
  readonly name: string;
  readonly seed: number;
  readonly ms: number;
  readonly path: string | undefined;
  readonly gateway: GatewayAddress;
}

export type FromWorker = { readonly input: string } | { readonly done: SearchResult };

const { name, gateway, ...budget } = workerData as Task;
const say = (it: FromWorker) => parentPort?.postMessage(it);

beforeEach((input) => say({ input: fc.stringify(input).slice(0, 20_000) }));

let unhandled: unknown;
process.on("unhandledRejection", (reason) => {
  unhandled ??= reason;
});

const target = targets.find((it) => it.name === name);
if (!target) throw new Error(`there is no target ${name}`);
const opened = await target.open(gateway);
const { inputs, found } = await search(opened, budget);
await opened.close?.();
const rejected: Found | undefined =
  unhandled === undefined
    ? undefined
    : {
        seed: budget.seed,
        path: "",
        input: "some input of this run",
        why: `a rejection that nobody handles: ${unhandled instanceof Error ? unhandled.stack : unhandled}`,
      };
say({ done: { inputs, found: found ?? rejected } });
