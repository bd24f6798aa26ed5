/** A Worker with every binding that a gate has, and the Worker behind it, as wrangler projects. */
import fs from "node:fs";
import path from "node:path";

/** @returns its folder */
export const writeWorkerProject = (parent: string, name: string, main: string, config: object): string => {
  const folder = path.join(parent, name);
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(path.join(folder, "main.js"), main);
  fs.writeFileSync(
    path.join(folder, "wrangler.json"),
    JSON.stringify({ name, main: "main.js", compatibility_date: "2026-10-01", ...config }),
  );
  return folder;
};

export const backMain = `
import { WorkerEntrypoint } from "cloudflare:workers";
export class Greeter extends WorkerEntrypoint {
  greet(name) { return \`hello \${name} of \${this.ctx.props.tenant}\`; }
}
export default { fetch: () => new Response("back") };`;

/** `release` is put in by wrangler's `--define`. */
export const shopMain = `
import { DurableObject } from "cloudflare:workers";
export class Counter extends DurableObject {
  async add() {
    const count = ((await this.ctx.storage.get("count")) ?? 0) + 1;
    await this.ctx.storage.put("count", count);
    return count;
  }
}
export default {
  async fetch(request, env) {
    const { pathname } = new URL(request.url);
    if (pathname === "/count") return new Response(String(await env.COUNTER.getByName("one").add()));
    if (pathname.startsWith("/kv/"))
      return Response.json(await env.STORE.getWithMetadata(pathname.slice(4)));
    if (pathname === "/limit") return Response.json((await env.LIMIT.limit({ key: "all" })).success);
    if (pathname === "/secrets") return Response.json([env.ONE ?? null, env.TWO ?? null, env.THREE ?? null]);
    console.log("requested", pathname);
    const { id, tag } = env.VERSION;
    return Response.json({ release, id, tag, greeting: await env.BACK.greet("you") });
  },
};`;

export const shopHost = "shop.example.com";

export const shopConfig = (namespace: string) => ({
  routes: [{ pattern: `${shopHost}/*`, zone_name: "example.com" }],
  workers_dev: true,
  preview_urls: true,
  version_metadata: { binding: "VERSION" },
  services: [{ binding: "BACK", service: "back", entrypoint: "Greeter", props: { tenant: "acme" } }],
  kv_namespaces: [{ binding: "STORE", id: namespace }],
  ratelimits: [{ name: "LIMIT", namespace_id: "7", simple: { limit: 2, period: 60 } }],
  durable_objects: { bindings: [{ name: "COUNTER", class_name: "Counter" }] },
  migrations: [{ tag: "v1", new_sqlite_classes: ["Counter"] }],
});
