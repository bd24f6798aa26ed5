/** Rules of a zone that set request headers: what the local cloud knows of them, and that they keep a user on one version of the front. */

import http from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { expect, it, onTestFinished } from "vitest";
import { type HeaderRule, headerEdits, unknownExpressionIn } from "../../infra/cloud/account/header-rules.ts";
import { rulesets } from "../../infra/cloud/api/rulesets.ts";
import { type VersionKeyRule, versionKeyRules } from "../../infra/compiler/emit/version-key-rules.ts";
import type { Target } from "../../infra/release/target.ts";
import { applyVersionKeyRules } from "../../infra/release/version-key-rules.ts";

const front = (hosts: readonly string[], header?: string) => ({
  grayKey: { cookie: "postern-gray", ...(header !== undefined && { header }) },
  tiers: [{ tier: "a", binding: "GATE_A", hosts, base: "/" }],
});

const rulesOf = (hosts: readonly string[], header?: string): readonly VersionKeyRule[] =>
  versionKeyRules(front(hosts, header), "postern-front", undefined)[0]?.rules ?? [];

const applied = (rules: readonly VersionKeyRule[], host: string, headers: Record<string, string>) =>
  headerEdits(
    rules.map((it, index): HeaderRule => ({ ...it, id: String(index), zone: "z", enabled: true })),
    { host, header: (name) => headers[name.toLowerCase()] ?? null },
  ).get("cloudflare-workers-version-key");

it("are made for each zone", () => {
  const all = versionKeyRules(front(["api.acme.example", "*.acme.example", "a.other.example"]), "postern-front", [
    "acme.example",
    "other.example",
  ]);
  expect(all.map(({ zone, rules }) => [zone, rules[0]?.expression])).toEqual([
    ["acme.example", '(http.host in {"api.acme.example"} or ends_with(http.host, ".acme.example"))'],
    ["other.example", '(http.host in {"a.other.example"})'],
  ]);
});

it("set the key from the configured header, else from our cookie, and remove a client's own", () => {
  const rules = rulesOf(["a.z.example", "*.b.z.example"], "x-device-id");
  for (const rule of rules) expect(unknownExpressionIn(rule)).toBeUndefined();
  const cookie = "a=1; __Host-postern-gray=alice";
  const own = { "cloudflare-workers-version-key": "mine" };
  expect(applied(rules, "a.z.example", { cookie, "x-device-id": "d1" })).toBe("d1");
  expect(applied(rules, "x.b.z.example", { cookie })).toBe("alice");
  expect(applied(rules, "a.z.example", own)).toBeNull();
  expect(applied(rules, "a.z.example", { cookie: "other=__Host-postern-gray=eve" })).toBeNull();
  expect(applied(rules, "c.example", { ...own, cookie })).toBeUndefined();
  expect(applied(rulesOf(["a.example"]), "a.example", { "x-device-id": "d1" })).toBeNull();
});

it.each([
  'http.host eq "a.example"',
  "true",
  '(http.host in {"a.example"}) and ip.src eq 1.1.1.1',
  "(ends_with(http.host))",
])("with the expression %s are refused, as nothing here evaluates it", (expression) => {
  const [rule] = rulesOf(["a.example"]) as [VersionKeyRule];
  expect(unknownExpressionIn({ ...rule, expression })).toBe(expression);
});

/** The platform's API of one zone, with a rule of somebody else. */
const platform = async (fault?: object) => {
  const calls: string[] = [];
  let rules: object[] | undefined;
  const server = http.createServer(async (request, response) => {
    const { method = "", url = "" } = request;
    const body = JSON.parse((await text(request)) || "null");
    calls.push(`${method} ${url}`);
    const answer = (result: unknown, status = 200) => {
      response.writeHead(status, { "content-type": "application/json" });
      response.end(JSON.stringify({ success: status < 400, result, errors: status < 400 ? [] : [result] }));
    };
    if (fault) return answer(fault, 403);
    if (url.startsWith("/zones?")) return answer([{ id: "z1" }]);
    if (method === "GET") return rules ? answer({ id: "r1", rules }) : answer({ message: "no ruleset" }, 404);
    if (method === "PUT") rules = body.rules;
    if (method === "POST") rules?.push({ ...body, id: `i${rules.length}` });
    if (method === "DELETE") rules = rules?.filter((it) => !("id" in it && url.endsWith(`/${it.id}`)));
    if (method === "PATCH")
      rules = rules?.map((it) => ("id" in it && url.endsWith(`/${it.id}`) ? { ...body, id: it.id } : it));
    return answer({ id: "r1", rules });
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  onTestFinished(() => void server.close());
  const api = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const variables = { CLOUDFLARE_API_BASE_URL: api, CLOUDFLARE_API_TOKEN: "t", CLOUDFLARE_ACCOUNT_ID: "a" };
  return {
    target: { name: "cloudflare", variables } satisfies Target,
    calls,
    rules: () => rules,
    has: (some: object[]) => {
      rules = some;
    },
  };
};

const zone = (header?: string) => versionKeyRules(front(["a.example"], header), "postern-front", undefined);

it("are added to a zone without any, and a second time nothing is written", async () => {
  const it = await platform();
  expect(await applyVersionKeyRules(it.target, zone("x-device-id"))).toBeUndefined();
  expect(it.rules()).toHaveLength(3);
  it.calls.length = 0;
  await applyVersionKeyRules(it.target, zone("x-device-id"));
  expect(it.calls.map((call) => call.split(" ")[0])).toEqual(["GET", "GET"]);
});

const withIds = (rules: readonly VersionKeyRule[]) => rules.map((it, index) => ({ ...it, id: `i${index}` }));

it("leave the rules of others as they are, and change their own", async () => {
  const it = await platform();
  const other = { id: "o1", ref: "other", expression: "true" };
  it.has([other, ...withIds(rulesOf(["old.example"]))]);
  await applyVersionKeyRules(it.target, zone());
  // The rule that removes a client's key comes before those that set one.
  expect(it.rules()).toMatchObject([
    other,
    { id: "i0", ref: "postern-front-version-key-client", expression: expect.stringContaining('"a.example"') },
    { id: "i1", ref: "postern-front-version-key-cookie", expression: expect.stringContaining('"a.example"') },
  ]);
  expect(it.calls.filter((call) => !/^(?:GET|PATCH)/.test(call))).toEqual([]);
});

it.each([
  ["one is missing", (all: readonly object[]) => all.slice(1)],
  ["they are in another order", (all: readonly object[]) => all.toReversed()],
  ["there is one of a header that is no longer configured", (all: readonly object[]) => all],
])("are made anew behind all others, where %s, since the last one that matches decides", async (_, arrange) => {
  for (const others of [[], [{ id: "o1", ref: "other", expression: "true" }]]) {
    const it = await platform();
    it.has([...others, ...arrange(withIds(rulesOf(["a.example"], "x-device-id")))]);
    expect(await applyVersionKeyRules(it.target, zone())).toBeUndefined();
    expect(it.rules()).toMatchObject([
      ...others,
      { ref: "postern-front-version-key-client" },
      { ref: "postern-front-version-key-cookie" },
    ]);
    const cookie = "__Host-postern-gray=alice";
    expect(applied(it.rules()?.slice(others.length) as VersionKeyRule[], "a.example", { cookie })).toBe("alice");
  }
});

it("are missing where a page answers in place of the API", async () => {
  const server = http.createServer((_, response) => void response.writeHead(502).end("<html>"));
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  onTestFinished(() => void server.close());
  const api = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const variables = { CLOUDFLARE_API_BASE_URL: api, CLOUDFLARE_API_TOKEN: "t", CLOUDFLARE_ACCOUNT_ID: "a" };
  expect(await applyVersionKeyRules({ name: "cloudflare", variables }, zone())).toBe(
    "the zone's rules: the platform answered 502, not as its API does",
  );
});

it("are missing where the token may not edit them, and the reason is told", async () => {
  const it = await platform({ message: "request is not authorized" });
  expect(await applyVersionKeyRules(it.target, zone())).toBe(
    "request is not authorized: npx postern doctor says which permission is missing",
  );
});

it("are put ahead of another by the local cloud, as at Cloudflare", async () => {
  const [client, cookie] = rulesOf(["a.example"]) as [VersionKeyRule, VersionKeyRule];
  let headerRules: readonly HeaderRule[] = [{ ...cookie, id: "i1", zone: "z", enabled: true }];
  const api = rulesets({
    account: () => ({ workers: new Map(), namespaces: new Map(), headerRules }),
    setHeaderRules: async (rules: readonly HeaderRule[]) => {
      headerRules = rules;
    },
  } as never);
  const entrypoint = await api.request("/z/rulesets/phases/http_request_late_transform/entrypoint");
  const { result } = (await entrypoint.json()) as { readonly result: { readonly id: string } };
  const post = (before: string) =>
    api.request(`/z/rulesets/${result.id}/rules`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ ...client, position: { before } }),
    });
  expect((await post("i1")).status).toBe(200);
  expect(headerRules.map(({ ref }) => ref)).toEqual([client.ref, cookie.ref]);
  expect(headerEdits(headerRules, { host: "a.example", header: () => "__Host-postern-gray=alice" })).toEqual(
    new Map([["cloudflare-workers-version-key", "alice"]]),
  );
});
