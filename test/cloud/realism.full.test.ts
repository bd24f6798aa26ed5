/** Realism: several isolates, late values of KV, objects that restart, and refusals of production. */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { type Cloud, type CloudOptions, startCloud } from "../../infra/cloud/cloud.ts";
import { runService } from "../e2e/project.ts";
import { until } from "../until.ts";
import { startLocalCloud } from "./in-process-cloud.ts";
import { publication } from "./uploads.ts";

const code = `import { DurableObject } from "cloudflare:workers";
let requests = 0;
export class Memory extends DurableObject {
  count = 0;
  async more() {
    const kept = ((await this.ctx.storage.get("kept")) ?? 0) + 1;
    await this.ctx.storage.put("kept", kept);
    return [++this.count, kept];
  }
}
export default {
  async fetch(request, env) {
    const { pathname } = new URL(request.url);
    if (pathname === "/isolate") return Response.json(++requests);
    if (pathname === "/kv") return Response.json(await env.KV.get("k"));
    if (pathname === "/put") return Response.json(await env.KV.put("k", "new").then(() => "put"));
    if (pathname === "/object") return Response.json(await env.MEMORY.getByName("m").more());
    if (pathname === "/file") {
      const { url, init } = await request.json();
      const response = await fetch(url, init);
      return Response.json([await response.text(), response.headers.get("cf-cache-status")]);
    }
    if (pathname === "/address") return Response.json(await fetch("http://127.0.0.1:9/").then(String, (error) => error.message));
  },
};`;

const start = async (options: Partial<CloudOptions>) => upload(await startLocalCloud(options));

const upload = async (cloud: Cloud) => {
  const { id } = await cloud.control.addNamespace("kv");
  const bindings = [
    { type: "kv_namespace", name: "KV", namespace_id: id },
    { type: "durable_object_namespace", name: "MEMORY", class_name: "Memory" },
  ];
  const migrations = { new_tag: "v1", new_sqlite_classes: ["Memory"] };
  await cloud.control.publish([publication("it", code, { bindings, migrations })]);
  await cloud.control.changeSettings("it", { routes: [{ id: "all", pattern: "*/*" }] });
  const get = async (target: string) => (await fetch(cloud.edge + target)).json();
  return { cloud, get };
};

it("a Worker in four isolates remembers in each of them for itself", async () => {
  let turn = 0;
  const { get } = await start({ isolates: 4, random: () => (turn++ % 4) / 4 });
  const counts: unknown[] = [];
  for (let index = 0; index < 8; index++) counts.push(await get("/isolate"));
  expect(counts.every((count) => Number(count) < 8)).toBe(true);
  expect(counts.filter((count) => count === 1).length).toBeGreaterThan(1);
});

it("without it, what is written is read at once, and an object goes on", async () => {
  const { get } = await start({});
  expect(await get("/kv")).toBe(null);
  await get("/put");
  expect(await get("/kv")).toBe("new");
  expect([await get("/object"), await get("/object")]).toEqual([
    [1, 1],
    [2, 2],
  ]);
  expect(await get("/address")).not.toContain("1003");
});

it("with it, a key that was missing stays missing for its time, addresses are refused, and an object that begins anew keeps its storage", async () => {
  const { cloud, get } = await start({ realism: { kvMs: 1500, objectMs: 20, evictMs: 3_600_000 } });
  expect(await get("/kv")).toBe(null);
  await get("/put");
  expect(await get("/kv")).toBe(null);
  await until(async () => (await get("/kv")) === "new", "what was written is read");
  expect(await get("/address")).toContain("1003");
  expect([await get("/object"), await get("/object")]).toEqual([
    [1, 1],
    [2, 2],
  ]);
  await cloud.control.evict();
  expect(await get("/object")).toEqual([1, 3]);
});

describe("the platform's cache answers a fetch", () => {
  const realism = { kvMs: 1500, objectMs: 20, evictMs: 3_600_000 };
  /** One for all of them, of which each has a service of its own. */
  let shared: Cloud;
  beforeAll(async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "postern-cloud-"));
    shared = await startCloud({ folder, edgePort: 0, realism });
    await upload(shared);
    return async () => {
      await shared.close();
      fs.rmSync(folder, { recursive: true, force: true });
    };
  });
  const files = async (headers: Record<string, string> = {}, cloud = shared) => {
    let served = 0;
    const { url } = await runService((_, response) => response.writeHead(200, headers).end(`file ${++served}`));
    return async (target: string, init: object = {}) => {
      const body = JSON.stringify({ url: url + target, init });
      return (await fetch(`${cloud.edge}/file`, { method: "POST", body })).json();
    };
  };

  it("of a static file by its URL, whoever asks, and not of others", async () => {
    const get = await files();
    expect(await get("/a.pdf?of=alice")).toEqual(["file 1", "MISS"]);
    expect(await get("/a.pdf?of=alice", { headers: { cookie: "sid=bob" } })).toEqual(["file 1", "HIT"]);
    expect(await get("/a.pdf?of=bob")).toEqual(["file 2", "MISS"]);
    expect(await get("/a")).toEqual(["file 3", null]);
    expect(await get("/a")).toEqual(["file 4", null]);
    expect(await get("/a.pdf?of=alice", { method: "POST" })).toEqual(["file 5", null]);
  });

  it("unless the fetch says otherwise: `no-store`, or what the runtime makes of it", async () => {
    const get = await files();
    expect(await get("/a.pdf")).toEqual(["file 1", "MISS"]);
    expect(await get("/a.pdf", { cache: "no-store" })).toEqual(["file 2", null]);
    expect(await get("/a.pdf", { cf: { cacheTtl: -1, cacheLevel: "bypass" } })).toEqual(["file 3", null]);
    expect(await get("/a", { cf: { cacheTtl: 60 } })).toEqual(["file 4", "MISS"]);
    expect(await get("/a", { cf: { cacheTtl: 60 } })).toEqual(["file 4", "HIT"]);
  });

  it.each([
    [{ "cache-control": "private" }, {}],
    [{ "cache-control": "max-age=0" }, {}],
    [{ "set-cookie": "a=b" }, {}],
    [{}, { headers: { authorization: "Bearer alice" } }],
  ])("unless the service or the request keeps it out: %j %j", async (headers, init) => {
    const get = await files(headers);
    expect(await get("/a.pdf", init)).toEqual(["file 1", null]);
    expect(await get("/a.pdf", init)).toEqual(["file 2", null]);
  });

  it("but keeps no part of a file and no answer without one, which stand for no whole", async () => {
    let served = 0;
    const statuses = [206, 304, 204];
    const { url } = await runService((_, response) => {
      const status = statuses[served++] ?? 200;
      response.writeHead(status, { "cache-control": "max-age=60" }).end(status === 200 ? "the whole" : undefined);
    });
    const get = async (headers: Record<string, string>) => {
      const body = JSON.stringify({ url: `${url}/a.pdf`, init: { headers } });
      return (await fetch(`${shared.edge}/file`, { method: "POST", body })).json();
    };
    expect(await get({ range: "bytes=0-1" })).toEqual(["", null]);
    expect(await get({ "if-none-match": '"1"' })).toEqual(["", null]);
    expect(await get({})).toEqual(["", null]);
    expect(await get({})).toEqual(["the whole", "MISS"]);
  });

  it("only where realism is on", async () => {
    const get = await files({}, (await start({})).cloud);
    expect([await get("/a.pdf"), await get("/a.pdf")]).toEqual([
      ["file 1", null],
      ["file 2", null],
    ]);
  });
});
