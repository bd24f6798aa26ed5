/** Under steady load, deployments fail no request, lose or repeat no call of an object, and break no stream. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { text } from "node:stream/consumers";
import { expect, onTestFinished, test } from "vitest";
import type { Publication } from "../../infra/cloud/account/publish.ts";
import type { Cloud } from "../../infra/cloud/cloud.ts";
import { getWorker, startLocalCloud } from "./in-process-cloud.ts";
import type { Report } from "./load.ts";
import { onSubdomain, publication } from "./uploads.ts";

const full = process.env.POSTERN_FULL === "1";
const counts = full ? { uploads: 20, splits: 50, rollbacks: 5 } : { uploads: 5, splits: 12, rollbacks: 2 };

/** Each round of uploads is other code, so that none is taken for one that runs. */
const workers = (round: number): Readonly<Record<"counter" | "back" | "front", Publication>> => ({
  counter: publication(
    "counter",
    `import { DurableObject } from "cloudflare:workers";
// ${round}
export class Counter extends DurableObject {
  constructor(state, env) {
    super(state, env);
    state.storage.sql.exec("create table if not exists hits (number integer primary key autoincrement, id text unique)");
  }
  hit(id) {
    return this.ctx.storage.sql.exec("insert into hits (id) values (?) returning number", id).one().number;
  }
  count() {
    return this.ctx.storage.sql.exec("select count(*) as count from hits").one().count;
  }
  fetch(request) {
    return new Response(String(this.hit(new URL(request.url).searchParams.get("id"))));
  }
}
export default { fetch: () => new Response("counter") };`,
    round === 0 ? { migrations: { new_tag: "v1", new_sqlite_classes: ["Counter"] } } : {},
  ),
  back: publication(
    "back",
    `// ${round}
let requests = 0;
export default {
  async fetch(request, env) {
    const { pathname, searchParams } = new URL(request.url);
    const object = () => env.COUNTER.get(env.COUNTER.idFromName("one"));
    if (pathname === "/count") return new Response(String(await object().count()));
    if (pathname === "/hit")
      return requests++ % 2 ? object().fetch(request) : new Response(String(await object().hit(searchParams.get("id"))));
    if (pathname === "/socket") {
      const [theirs, ours] = Object.values(new WebSocketPair());
      ours.accept();
      ours.addEventListener("message", ({ data }) => ours.send(data));
      return new Response(null, { status: 101, webSocket: theirs });
    }
    let number = 0;
    return new Response(new ReadableStream({
      async pull(to) {
        await scheduler.wait(100);
        to.enqueue(new TextEncoder().encode(number++ + "\\n"));
      },
    }));
  },
};`,
    {
      bindings: [{ name: "COUNTER", type: "durable_object_namespace", class_name: "Counter", script_name: "counter" }],
    },
  ),
  front: publication(
    "front",
    `// ${round}
export default { fetch: (request, env) => env.BACK.fetch(request) };`,
    { bindings: [{ name: "BACK", type: "service", service: "back" }] },
  ),
});

const names = ["front", "back", "counter"] as const;

/** Uploads, splits and rollbacks in turn, spread evenly over each other. */
const deployments = async ({ control }: Cloud): Promise<void> => {
  const total = Math.max(counts.uploads, counts.splits, counts.rollbacks);
  const due = (count: number, step: number) =>
    Math.floor(((step + 1) * count) / total) > Math.floor((step * count) / total);
  const nameAt = (step: number) => names[step % names.length] ?? "front";
  const made = { uploads: 0, splits: 0, rollbacks: 0 };
  for (let step = 0; step < total; step++) {
    if (due(counts.uploads, step)) await control.publish([workers(made.uploads + 1)[nameAt(made.uploads++)]]);
    if (due(counts.splits, step)) {
      const { versions } = control.worker(nameAt(made.splits++));
      const [newer, older] = [versions.at(-1), versions.at(-2)];
      const percentage = (step * 37) % 101;
      if (newer && older)
        await control.deploy(
          nameAt(made.splits - 1),
          [
            { version_id: newer.id, percentage },
            { version_id: older.id, percentage: 100 - percentage },
          ],
          {},
          true,
        );
    }
    if (due(counts.rollbacks, step)) {
      const name = nameAt(made.rollbacks++);
      const [oldest] = control.worker(name).versions;
      if (oldest) await control.deploy(name, [{ version_id: oldest.id, percentage: 100 }], {}, true);
    }
  }
  expect(made).toEqual(counts);
};

/** Nothing of before is live any more, and what is not in use goes: after three seconds without a request, all under load. */
const replaceAll = async ({ control }: Cloud): Promise<void> => {
  const { counter, back, front } = workers(counts.uploads + 1);
  await control.publish([counter, back, front]);
  await new Promise((wake) => setTimeout(wake, 3500));
};

test("steady load sees nothing of uploads, splits and rollbacks", { timeout: full ? 300_000 : 90_000 }, async () => {
  const reports: string[] = [];
  const cloud = await startLocalCloud({ report: (line) => reports.push(line), log: (line) => reports.push(line) });
  const first = workers(0);
  // Two versions of each, so that there is something to split from the beginning.
  await cloud.control.publish([first.counter, first.back, first.front]);
  const second = workers(0.5);
  await cloud.control.publish([{ ...second.counter, deploy: false }, second.back, second.front]);
  await cloud.control.changeSettings("front", onSubdomain);

  const host = "front.local.workers.dev";
  const script = path.join(import.meta.dirname, "load.ts");
  const load = spawn(process.execPath, [script, cloud.edge, host, "6"], { stdio: ["pipe", "pipe", "inherit"] });
  onTestFinished(() => void load.kill("SIGKILL"));
  const [report] = await Promise.all([
    text(load.stdout),
    (async () => {
      await Promise.race([once(load, "exit"), new Promise((wake) => setTimeout(wake, 1000))]);
      const began = performance.now();
      await deployments(cloud)
        .then(() => replaceAll(cloud))
        .finally(() => load.stdin.end());
      console.log(`${JSON.stringify(counts)} took ${((performance.now() - began) / 1000).toFixed(1)} s`);
      console.log(`${JSON.stringify(cloud.fleet.size())} at the end`);
    })(),
  ]);
  const seen = JSON.parse(report) as Report;
  console.log(
    `${seen.numbers.length} requests, the slowest ${seen.slowestMs.toFixed(0)} ms; ${seen.chunks.length} chunks`,
  );

  expect(seen.failures, reports.join("\n")).toEqual([]);
  const total = seen.numbers.length;
  expect(seen.numbers.toSorted((a, b) => a - b)).toEqual(Array.from({ length: total }, (_, index) => index + 1));
  expect(await getWorker(cloud.edge, "front", "/count")).toEqual({ status: 200, body: String(total) });
  expect(seen.chunks.length).toBeGreaterThan(10);
  expect(seen.chunks).toEqual(seen.chunks.map((_, index) => index));
  expect(seen.sent).toBeGreaterThan(10);
  expect(seen.echoes).toEqual(Array.from({ length: seen.sent }, (_, index) => index));
  expect(reports).toEqual([]);
});
