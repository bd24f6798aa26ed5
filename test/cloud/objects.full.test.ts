/** Durable Objects have one owner at a time. Calls wait while it changes, and none is lost or counted twice. */
import { expect, it } from "vitest";
import { callApi, putRequest, uploadForm } from "./api-client.ts";
import { openLocalCloud } from "./local-cloud.ts";

const main = (release: number) => `
import { DurableObject } from "cloudflare:workers";
export class Counter extends DurableObject {
  async add() {
    const count = ((await this.ctx.storage.get("count")) ?? 0) + 1;
    await this.ctx.storage.put("count", count);
    await scheduler.wait(5);
    return [${release}, count];
  }
}
export default { fetch: async (_, env) => Response.json(await env.COUNTER.getByName("one").add()) };`;

it("every call while the owner changes is answered once, and workerd has nothing to warn of", async () => {
  const local = await openLocalCloud();
  try {
    const bindings = [{ name: "COUNTER", type: "durable_object_namespace", class_name: "Counter" }];
    const deploy = async (release: number, metadata = {}) => {
      const request = putRequest("/workers/scripts/app", uploadForm(main(release), { bindings, ...metadata }));
      expect(await callApi(local.cloud, request)).toMatchObject({ status: 200 });
    };
    await deploy(1, { migrations: { new_tag: "v1", new_sqlite_classes: ["Counter"] } });
    await callApi(local.cloud, putRequest("/workers/scripts/app/routes", [{ pattern: "app.example/*" }]));
    const counts: number[] = [];
    const releases = new Set<number>();
    let isRunning = true;
    const clients = Array.from({ length: 4 }, async () => {
      while (isRunning) {
        const { status, text } = await local.get("app.example");
        if (status !== 200) throw new Error(text);
        const [release, count] = JSON.parse(text);
        releases.add(release);
        counts.push(count);
      }
    });
    await deploy(2);
    await deploy(3);
    isRunning = false;
    await Promise.all(clients);
    expect((await local.get("app.example")).text).toBe(`[3,${counts.length + 1}]`);
    expect(counts.toSorted((a, b) => a - b)).toEqual(counts.map((_, index) => index + 1));
    expect(releases).toContain(2);
    expect(local.lines).toEqual([]);
  } finally {
    await local.close();
  }
});
