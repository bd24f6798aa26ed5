/** Machines of an account: a killed one is replaced, and traces of a Worker reach its tails. */
import type http from "node:http";
import { expect, it } from "vitest";
import { WorkerStartupError } from "../../infra/cloud/account/api-errors.ts";
import { machinePids } from "../../infra/cloud/machine/orphans.ts";
import { runService } from "../e2e/project.ts";
import { until } from "../until.ts";
import { getWorker, startLocalCloud, temporaryFolder } from "./in-process-cloud.ts";
import { onSubdomain, publication } from "./uploads.ts";

const counting = `import { DurableObject } from "cloudflare:workers";
export class Count extends DurableObject {
  async more() {
    const count = ((await this.ctx.storage.get("count")) ?? 0) + 1;
    await this.ctx.storage.put("count", count);
    return count;
  }
}
export default {
  async fetch(request, env) {
    if (new URL(request.url).pathname === "/kv") return new Response(await env.KV.get("k"));
    return new Response(String(await env.COUNT.getByName("it").more()));
  },
};`;

it("whatever machine is killed, all goes on with what was acknowledged", async () => {
  const folder = temporaryFolder();
  const reports: string[] = [];
  const { control, edge, fleet } = await startLocalCloud({ folder, report: (line) => reports.push(line) });
  const { id } = await control.addNamespace("kv");
  await (await fleet.kv(id, "/k?urlencoded=true", { method: "PUT", body: "kept" })).arrayBuffer();
  const counter = publication("it", counting, {
    bindings: [
      { type: "durable_object_namespace", name: "COUNT", class_name: "Count" },
      { type: "kv_namespace", name: "KV", namespace_id: id },
    ],
    migrations: { new_tag: "v1", new_sqlite_classes: ["Count"] },
  });
  await control.publish([counter]);
  await control.changeSettings("it", onSubdomain);
  let count = 0;
  const more = async () => {
    const { status, body } = await getWorker(edge, "it").catch(() => ({ status: 0, body: "" }));
    if (status === 200) count = Number(body);
    return status;
  };
  expect([await more(), await more(), count]).toEqual([200, 200, 2]);
  // The storage of all, the owner of the objects, and the Worker itself.
  const pids = machinePids(folder);
  expect(pids).toHaveLength(3);
  for (const [index, pid] of pids.entries()) {
    process.kill(pid, "SIGKILL");
    await until(() => reports.length > index, `machine ${index} of ${pids} is missed: ${reports}`);
    const before = count;
    await until(async () => (await more()) === 200, "the Worker answers again");
    expect(count).toBe(before + 1);
    expect((await getWorker(edge, "it", "/kv")).body).toBe("kept");
  }
});

it("a Worker that ends the runtime while it starts is refused, and that by its name", async () => {
  const folder = temporaryFolder();
  const { control } = await startLocalCloud({ folder });
  const before = machinePids(folder);
  const published = control.publish([publication("it", "for (;;);\nexport default {};")]).catch((error) => error);
  // As the system does to one that takes all memory.
  let pid: number | undefined;
  await until(() => {
    pid = machinePids(folder).find((it) => !before.includes(it));
    return pid !== undefined;
  }, "it starts");
  process.kill(pid as number, "SIGKILL");
  const error = await published;
  expect(error).toBeInstanceOf(WorkerStartupError);
  expect([...(error as WorkerStartupError).reasons]).toEqual([["it", "Error: it ended the runtime while it started"]]);
  await control.publish([publication("it", "export default {};")]);
});

it("a tail consumer receives a trace of each request: its version, logs and outcome", async () => {
  const received: string[] = [];
  const listener = await runService(async (request: http.IncomingMessage, response) => {
    for await (const part of request) received.push(String(part));
    response.end();
  });
  const { control, edge } = await startLocalCloud();
  const consumer = `export default { async tail(events) { await fetch("${listener.url}", { method: "POST", body: JSON.stringify(events) }); } };`;
  const producer = `export default { fetch(request) {
    console.log("hello", new URL(request.url).pathname);
    if (request.url.endsWith("/boom")) throw new Error("boom");
    return new Response("ok");
  } };`;
  await control.publish([
    publication("listener", consumer),
    publication("it", producer, { tail_consumers: [{ service: "listener" }] }),
  ]);
  await control.changeSettings("it", onSubdomain);
  await getWorker(edge, "it", "/fine");
  await getWorker(edge, "it", "/boom");
  await until(() => received.length >= 2, "the consumer has two traces");
  // Each trace is sent by itself, so that the second may come first.
  const events = received.flatMap((text) => JSON.parse(text)).toSorted((a, b) => a.eventTimestamp - b.eventTimestamp);
  expect(events.map(({ outcome }) => outcome)).toEqual(["ok", "exception"]);
  expect(events[0]).toMatchObject({
    scriptName: "it",
    scriptVersion: { id: control.worker("it").versions[0]?.id },
    logs: [{ message: ["hello", "/fine"] }],
  });
  expect(events[1].exceptions[0].message).toBe("boom");
});
