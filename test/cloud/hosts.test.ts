/** Which Worker a request from outside reaches: by zone routes, by workers.dev, by the address of one version. */
import { describe, expect, it } from "vitest";
import { type Account, emptyAccount, type Version, type Worker } from "../../infra/cloud/account/account.ts";
import { matchHost, routeWeight } from "../../infra/cloud/ingress/hosts.ts";
import { callApi, putRequest, uploadForm } from "./api-client.ts";
import { openLocalCloud } from "./local-cloud.ts";

const version = (number: number, alias?: string): Version => ({
  id: `${String(number).repeat(8)}-0000-4000-8000-000000000000`,
  number,
  createdOn: "2026-11-03T00:00:00.000Z",
  source: "upload",
  mainModule: "main.js",
  modules: [],
  bindings: [],
  compatibilityDate: "2026-10-01",
  compatibilityFlags: [],
  annotations: alias === undefined ? {} : { "workers/alias": alias },
  etag: "",
  limits: {},
  tailConsumers: [],
});

interface Given {
  readonly dev?: boolean;
  readonly previews?: boolean;
  readonly routes?: readonly string[];
  readonly versions?: readonly Version[];
}

const worker = (
  name: string,
  { dev = false, previews = false, routes = [], versions = [version(1)] }: Given,
): Worker => ({
  name,
  tag: name,
  createdOn: "",
  classes: [],
  versions,
  deployments: [],
  subdomain: { enabled: dev, previews_enabled: previews },
  routes: routes.map((pattern) => ({ id: pattern, pattern })),
  tags: [],
  logpush: false,
  observability: null,
});

const account = (workers: Readonly<Record<string, Given>>): Account => ({
  ...emptyAccount,
  workers: new Map(Object.entries(workers).map(([name, given]) => [name, worker(name, given)])),
});

/** The Worker's name, with the number of a version where the address names one. */
const found = (given: Account, host: string, path = "/"): string | undefined => {
  const it = matchHost(given, host, path);
  return it && (it.version ? `${it.worker.name} ${it.version.number}` : it.worker.name);
};

describe("a pattern", () => {
  it.each<[pattern: string, host: string, path: string, fits: boolean]>([
    ["example.com/*", "example.com", "/", true],
    ["example.com/*", "example.com", "/a/b", true],
    ["example.com/*", "www.example.com", "/", false],
    ["example.com/*", "example.com.evil", "/", false],
    ["example.com", "example.com", "/", true],
    ["example.com", "example.com", "/a", false],
    ["example.com/", "example.com", "/", true],
    ["example.com/a", "example.com", "/a", true],
    ["example.com/a", "example.com", "/a/", false],
    ["example.com/a", "example.com", "/ab", false],
    ["example.com/a*", "example.com", "/ab", true],
    ["example.com/a/*", "example.com", "/a", false],
    ["example.com/a/*", "example.com", "/a/", true],
    ["example.com/A/*", "example.com", "/a/", false],
    ["*.example.com/*", "www.example.com", "/", true],
    ["*.example.com/*", "a.b.example.com", "/", true],
    ["*.example.com/*", "example.com", "/", false],
    ["*.example.com/*", "badexample.com", "/", false],
    ["*example.com/*", "example.com", "/", true],
    ["*example.com/*", "www.example.com", "/", true],
    ["*example.com/*", "badexample.com", "/", true],
    ["*/*", "any.host", "/any", true],
    ["https://example.com/*", "example.com", "/", true],
    ["http://example.com/*", "example.com", "/", true],
    ["EXAMPLE.com/*", "example.com", "/", true],
    ["e.ample.com/*", "example.com", "/", false],
  ])("%s: %s%s is %s", (pattern, host, path, fits) => {
    expect(routeWeight(pattern, host, path) !== undefined).toBe(fits);
  });
});

describe("of several patterns", () => {
  it.each<[wins: string, loses: string, host: string, path: string]>([
    ["example.com/*", "*/*", "example.com", "/"],
    ["example.com/*", "*.com/*", "example.com", "/"],
    ["www.example.com/*", "*.example.com/*", "www.example.com", "/a/long/path"],
    ["www.example.com/*", "*.example.com/a/long/path", "www.example.com", "/a/long/path"],
    ["*.example.com/*", "*.com/a/long/path/*", "www.example.com", "/a/long/path/"],
    ["*.a.example.com/*", "*.example.com/*", "b.a.example.com", "/"],
    ["example.com/a/*", "example.com/*", "example.com", "/a/b"],
    ["example.com/a/b", "example.com/a/*", "example.com", "/a/b"],
    ["example.com/a/b", "example.com/a/b*", "example.com", "/a/b"],
    ["example.com/", "example.com/*", "example.com", "/"],
    ["example.com", "example.com/*", "example.com", "/"],
  ])("%s goes ahead of %s for %s%s", (wins, loses, host, path) => {
    expect(found(account({ a: { routes: [wins] }, b: { routes: [loses] } }), host, path)).toBe("a");
    expect(found(account({ a: { routes: [loses] }, b: { routes: [wins] } }), host, path)).toBe("b");
  });
});

const shop = account({
  shop: {
    dev: true,
    previews: true,
    routes: ["example.com/*"],
    versions: [version(1, "try"), version(2), version(3, "try")],
  },
  "try-shop": { dev: true },
  hidden: { versions: [version(4, "try")] },
  previewed: { previews: true, versions: [version(5, "next")] },
  "a-previewed": { previews: true, versions: [version(6, "next"), version(7)] },
  closed: { dev: true, versions: [version(8, "next")] },
});

describe("an address", () => {
  it.each<[host: string, found: string | undefined]>([
    ["example.com", "shop"],
    ["EXAMPLE.com", "shop"],
    ["example.com:8788", "shop"],
    ["example.com.", "shop"],
    ["other.com", undefined],
    ["", undefined],
    ["[::1]:8788", undefined],
    ["shop.local.workers.dev", "shop"],
    ["Shop.Local.Workers.Dev:80", "shop"],
    ["shop.localhost:8788", "shop"],
    ["localhost:8788", undefined],
    ["shop.other.workers.dev", undefined],
    ["shop.workers.dev", undefined],
    ["a.shop.local.workers.dev", undefined],
    ["hidden.local.workers.dev", undefined],
    ["11111111-shop.local.workers.dev", "shop 1"],
    ["22222222-shop.localhost:8788", "shop 2"],
    ["99999999-shop.local.workers.dev", undefined],
    ["1111111-shop.local.workers.dev", undefined],
    ["11111111-0000-4000-8000-000000000000-shop.local.workers.dev", undefined],
    // A Worker of that name goes ahead of an alias.
    ["try-shop.local.workers.dev", "try-shop"],
    ["try-hidden.local.workers.dev", undefined],
    ["44444444-hidden.local.workers.dev", undefined],
    ["previewed.local.workers.dev", undefined],
    ["next-previewed.local.workers.dev", "previewed 5"],
    ["next-a-previewed.local.workers.dev", "a-previewed 6"],
    ["77777777-a-previewed.local.workers.dev", "a-previewed 7"],
    ["next-closed.local.workers.dev", undefined],
  ])("%s is %s", (host, wanted) => {
    expect(found(shop, host)).toBe(wanted);
  });

  it("by an alias is the newest version that has it", () => {
    expect(
      found(
        account({ app: { previews: true, versions: [version(1, "try"), version(2, "try"), version(3)] } }),
        "try-app.localhost",
      ),
    ).toBe("app 2");
  });

  it("of a zone is not a version's, whatever the route's host looks like", () => {
    expect(found(account({ app: { routes: ["*.localhost/*"] } }), "what.localhost")).toBe("app");
  });
});

it("a path of two slashes is a path, and no host", async () => {
  const local = await openLocalCloud();
  try {
    for (const [name, pattern] of [
      ["all", "a.example/*"],
      ["some", "a.example/some/*"],
    ] as const) {
      const code = `export default { fetch: ({ url }) => new Response("${name} " + new URL(url).pathname) };`;
      await callApi(local.cloud, putRequest(`/workers/scripts/${name}`, uploadForm(code)));
      await callApi(local.cloud, putRequest(`/workers/scripts/${name}/routes`, [{ pattern }]));
    }
    const texts = ["/some/x?y", "//b.example/some/x", "//", "/some", "/Some/x"].map(
      async (target) => (await local.get("a.example", target)).text,
    );
    expect(await Promise.all(texts)).toEqual([
      "some /some/x",
      "all //b.example/some/x",
      "all //",
      "all /some",
      "all /Some/x",
    ]);
  } finally {
    await local.close();
  }
});
