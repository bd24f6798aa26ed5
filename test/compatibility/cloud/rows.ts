/** Calls of Cloudflare's API by wranglers of all ages, the official SDK and curl, and the documented responses. */
import { expect } from "vitest";
import { latestVersion } from "../../../infra/cloud/account/account.ts";
import {
  type ApiReply,
  type ApiRequest,
  moduleType,
  postRequest,
  putRequest,
  uploadForm,
} from "../../cloud/api-client.ts";
import type { LocalCloud } from "../../cloud/local-cloud.ts";
import type { Row } from "../row.ts";

export interface CloudRow extends Row {
  /** Calls a cloud that has a Worker of the given name, and checks the result. */
  readonly sees: (at: RowContext) => Promise<unknown>;
  readonly right: unknown;
}

export interface RowContext {
  readonly local: LocalCloud;
  /** A Worker of this row's own: a module with the plain text `GREETING`, the secret `KEY` and a fixed date, on workers.dev. */
  readonly worker: string;
  readonly ask: (request: ApiRequest) => Promise<ApiReply>;
  /** What the Worker answers. */
  readonly answer: () => Promise<string>;
}

/** Says what it is bound to. */
export const code = (edit: string) =>
  `export default { fetch: (_, env) => new Response(["${edit}", env.GREETING, env.KEY, env.MORE].join(" ")) };`;

const docs = (page: string) => `developers.cloudflare.com/${page}`;
const sdk = (what: string) => `npm cloudflare 7.3.0, ${what}`;
const wrangler = (what: string) => `wrangler ${what}`;
const datesPage = docs("workers/configuration/compatibility-dates");
const metadataPage = docs("workers/configuration/multipart-upload-metadata");

const newest = ({ local, worker }: RowContext) => latestVersion(local.cloud.control.worker(worker));
const script = (worker: string, what = "") => `/workers/scripts/${worker}${what}`;
const form = (fields: Readonly<Record<string, string | File>>): FormData => {
  const all = new FormData();
  for (const [name, value] of Object.entries(fields)) all.append(name, value);
  return all;
};
const file = (text: string, name = "main.js", type = moduleType) => new File([text], name, { type });
const listener = (text: string) =>
  `addEventListener("fetch", (event) => event.respondWith(new Response(${text} + typeof GREETING)));`;
const settings = (worker: string, value: object): ApiRequest => ({
  method: "PATCH",
  path: script(worker, "/settings"),
  body: form({ settings: JSON.stringify(value) }),
});
const bindingsOf = (at: RowContext) =>
  newest(at)
    .bindings.map(({ name }) => name)
    .toSorted();
const dated = async ({ ask, worker }: RowContext, compatibility_date: string) => {
  const {
    status,
    code: fault,
    message,
  } = await ask(putRequest(script(worker), uploadForm(code("new"), { compatibility_date })));
  return { status, fault, message };
};
const tomorrow = () => new Date(Date.now() + 86_400_000).toISOString().slice(0, 10);

/** Refused in a sentence that names it, with nothing changed, and not as a path that nobody knows. */
const absent = (it: string, authority: string, what: string, request: (worker: string) => ApiRequest): CloudRow => ({
  it,
  authority,
  sees: async ({ ask, worker }) => {
    const { status, code: fault, message } = await ask(request(worker));
    return { status, fault, message };
  },
  right: { status: 400, fault: 10400, message: `${what}: the local cloud does not do this; nothing was changed` },
});

export const rows: readonly CloudRow[] = [
  {
    it: "a patch of the settings with bindings of which only name and type are given, and a secret: those stay, it is added",
    authority: wrangler("4.60.0, `secret bulk` (secret/index.ts, putBindingsSettings)"),
    sees: async (at) => {
      const kept = ["plain_text GREETING", "secret_text KEY"].map((it) => it.split(" "));
      const bindings = [
        ...kept.map(([type, name]) => ({ type, name })),
        { type: "secret_text", name: "MORE", text: "more" },
      ];
      await at.ask(settings(at.worker, { bindings }));
      return at.answer();
    },
    right: "first hello key more",
  },
  {
    it: "the code of a version is a form of its modules, and a header says which is the main one",
    authority: wrangler("4.60.0, `versions secret put` (versions/secrets/index.ts, parseModules)"),
    sees: async ({ local: { cloud }, worker, ...at }) => {
      const { id } = newest({ local: { cloud }, worker, ...at } as RowContext);
      const url = `${cloud.api}/accounts/a/workers/scripts/${worker}/content/v2?version=${id}`;
      const answer = await fetch(url, { headers: { authorization: `Bearer ${cloud.token}` } });
      const part = (await answer.formData()).get(answer.headers.get("cf-entrypoint") ?? "") as File;
      return [part.name, part.type, await part.text()];
    },
    right: ["main.js", moduleType, code("first")],
  },
  {
    it: "a script of the service-worker format runs, with its bindings as globals",
    authority: docs("workers/reference/migrate-to-module-workers: the format and its bindings; metadata: body_part"),
    sees: async ({ ask, worker, answer }) => {
      const metadata = { body_part: "main.js", bindings: [{ type: "plain_text", name: "GREETING", text: "hi" }] };
      const body = form({
        metadata: JSON.stringify(metadata),
        "main.js": file(listener("'old '"), "main.js", "application/javascript"),
      });
      return [(await ask(putRequest(script(worker), body))).status, await answer()];
    },
    right: [200, "old string"],
  },
  {
    it: "a script alone, with no form around it, is of that format and has no bindings",
    authority: docs("api/resources/workers/subresources/scripts/methods/update: application/javascript"),
    sees: async ({ ask, worker, answer }) => {
      const headers = { "content-type": "application/javascript" };
      const { status, result } = await ask({ ...putRequest(script(worker), listener("'alone '")), headers });
      return [status, (result as { has_modules: boolean }).has_modules, await answer()];
    },
    right: [200, false, "alone undefined"],
  },
  {
    it: "a module beside a script of that format is refused by its name",
    authority: docs("workers/reference/migrate-to-module-workers: service workers import nothing"),
    sees: async ({ ask, worker }) => {
      const metadata = JSON.stringify({ body_part: "main.js" });
      const main = file(listener("''"), "main.js", "application/javascript");
      const {
        status,
        code: fault,
        message,
      } = await ask(putRequest(script(worker), form({ metadata, "main.js": main, "other.js": file("", "other.js") })));
      return [status, fault, /other\.js/.test(message)];
    },
    right: [400, 10021, true],
  },
  {
    it: "an upload whose metadata comes field by field, and whose modules come as a list of files, is a version",
    authority: sdk("workers.scripts.versions.create"),
    sees: async ({ ask, worker, ...at }) => {
      const body = form({
        "metadata[main_module]": "main.js",
        "metadata[compatibility_date]": "2026-02-03",
        "metadata[bindings][][type]": "plain_text",
        "metadata[bindings][][name]": "GREETING",
        "metadata[bindings][][text]": "true",
        "files[]": file(code("sdk")),
      });
      // A second binding begins where a field comes again.
      for (const [field, value] of Object.entries({ type: "plain_text", name: "MORE", text: "yes" }))
        body.append(`metadata[bindings][][${field}]`, value);
      await ask(postRequest(script(worker, "/versions"), body));
      const { compatibilityDate, bindings } = newest({ ask, worker, ...at });
      return [compatibilityDate, bindings];
    },
    right: [
      "2026-02-03",
      [
        { type: "plain_text", name: "GREETING", text: "true" },
        { type: "plain_text", name: "MORE", text: "yes" },
        { type: "secret_text", name: "KEY", text: "key" },
      ],
    ],
  },
  {
    it: "new content leaves bindings, secrets and the date alone",
    authority: sdk("workers.scripts.content.update: put script content without touching config or metadata"),
    sees: async (at) => {
      const body = form({ "metadata[main_module]": "main.js", "files[]": file(code("second")) });
      await at.ask(putRequest(script(at.worker, "/content"), body));
      return [await at.answer(), newest(at).compatibilityDate];
    },
    right: ["second hello key ", "2026-10-01"],
  },
  {
    it: "new content whose main module a header names",
    authority: docs("api/resources/workers/subresources/scripts/subresources/content: CF-WORKER-MAIN-MODULE-PART"),
    sees: async (at) => {
      const headers = {
        "cf-worker-main-module-part": "it.js",
        "cf-worker-body-part": "",
      };
      const body = form({ "it.js": file(code("third"), "it.js") });
      const response = new Response(body);
      const bytes = new Uint8Array(await response.arrayBuffer());
      const type = response.headers.get("content-type") ?? "";
      await at.ask({
        ...putRequest(script(at.worker, "/content"), bytes),
        headers: { ...headers, "content-type": type },
      });
      return at.answer();
    },
    right: "third hello key ",
  },
  {
    it: "settings that come field by field: the date is that, and bindings that are not named are gone",
    authority: sdk("workers.scripts.scriptAndVersionSettings.edit"),
    sees: async (at) => {
      const body = form({
        "settings[compatibility_date]": "2026-03-04",
        "settings[bindings][][type]": "secret_text",
        "settings[bindings][][name]": "KEY",
        "settings[tags][]": "blue",
      });
      const { result } = await at.ask({ method: "PATCH", path: script(at.worker, "/settings"), body });
      const { tags, compatibility_date } = result as { tags: string[]; compatibility_date: string };
      return [await at.answer(), tags, compatibility_date];
    },
    right: ["first  key ", ["blue"], "2026-03-04"],
  },
  {
    it: "settings of the Worker alone make no version",
    authority: docs("workers/configuration/versions-and-deployments: what a version is"),
    sees: async (at) => {
      const before = newest(at).id;
      await at.ask(settings(at.worker, { tags: ["red"], logpush: true }));
      const { tags, logpush } = at.local.cloud.control.worker(at.worker);
      return [newest(at).id === before, tags, logpush];
    },
    right: [true, ["red"], true],
  },
  {
    it: "an upload that does not say what it keeps keeps the secrets, and nothing else",
    authority:
      "cloudflare/workers-docs#695, cloudflare/workers-sdk#5296; wrangler 4.60.0, `deploy` without keep_bindings",
    sees: async (at) => {
      await at.ask(putRequest(script(at.worker), uploadForm(code("second"))));
      return at.answer();
    },
    right: "second  key ",
  },
  {
    it: "an upload that says that it keeps nothing keeps no secrets",
    authority: docs("api/resources/workers/subresources/scripts/methods/update: keep_bindings"),
    sees: async (at) => {
      await at.ask(putRequest(script(at.worker), uploadForm(code("second"), { keep_bindings: [] })));
      return at.answer();
    },
    right: "second   ",
  },
  {
    it: "an upload without a compatibility date runs on the oldest one",
    authority: `${datesPage}, Workers API: it defaults to 2021-11-02`,
    sees: async (at) => {
      await at.ask(putRequest(script(at.worker), uploadForm(code("old"), { compatibility_date: undefined })));
      return newest(at).compatibilityDate;
    },
    right: "2021-11-02",
  },
  {
    it: "a date in the future is refused",
    authority: `${metadataPage}; code 10021, workers-sdk's reports of "Can't set compatibility date in the future"`,
    sees: async (at) => {
      const { message, ...others } = await dated(at, tomorrow());
      return { ...others, said: message.startsWith("Can't set compatibility date in the future: ") };
    },
    right: { status: 400, fault: 10021, said: true },
  },
  {
    it: "a date of before the first one that changed anything is taken",
    authority: `${datesPage}: old dates are supported forever`,
    sees: async (at) => [(await dated(at, "2020-01-01")).status, newest(at).compatibilityDate],
    right: [200, "2020-01-01"],
  },
  {
    it: "a date that the runtime calls invalid is refused in its words",
    authority: "workerd, src/workerd/io/compatibility-date.c++: Invalid compatibility date",
    sees: async (at) => {
      const { message, ...others } = await dated(at, "1999-01-01");
      return { ...others, said: /compatibility date.*1999-01-01/i.test(message) };
    },
    right: { status: 400, fault: 10021, said: true },
  },
  {
    it: "what is no date is refused",
    authority: `${datesPage}: YYYY-MM-DD`,
    sees: async (at) => (await dated(at, "2026-02-30")).status,
    right: 400,
  },
  {
    it: "the first deployment of the list is the one that is live, and each says its versions and its message",
    authority: docs("api/resources/workers/subresources/scripts/subresources/deployments/methods/list"),
    sees: async (at) => {
      const { ask, worker } = at;
      const versions = [{ version_id: newest(at).id, percentage: 100 }];
      const annotations = { "workers/message": "again" };
      await ask(postRequest(script(worker, "/deployments"), { strategy: "percentage", versions, annotations }));
      const { result } = await ask({ path: script(worker, "/deployments") });
      const [first, second] = (result as { deployments: { versions: object[]; annotations: object }[] }).deployments;
      return [first?.versions, first?.annotations, second === undefined];
    },
    right: [
      [{ version_id: expect.stringMatching(/^[0-9a-f-]{36}$/), percentage: 100 }],
      { "workers/message": "again", "workers/triggered_by": "deployment" },
      false,
    ],
  },
  {
    it: "a route of a zone is made, listed, moved and deleted one by one",
    authority: sdk("workers.routes: create, list, update, delete"),
    sees: async ({ ask, worker }) => {
      const { result } = await ask({ path: "//zones?name=routes.example" });
      const [{ id: zone }] = result as [{ id: string }];
      const at = `//zones/${zone}/workers/routes`;
      const made = (await ask(postRequest(at, { pattern: "routes.example/a/*", script: worker }))).result as {
        id: string;
      };
      await ask(putRequest(`${at}/${made.id}`, { pattern: "routes.example/b/*", script: worker }));
      const listed = (await ask({ path: at })).result;
      await ask({ method: "DELETE", path: `${at}/${made.id}` });
      return [listed, (await ask({ path: at })).result];
    },
    right: [
      [{ id: expect.stringMatching(/^[0-9a-f]{32}$/), pattern: "routes.example/b/*", script: expect.any(String) }],
      [],
    ],
  },
  {
    it: "a zone that was found by its name is found by its id",
    authority: sdk("zones.list, zones.get"),
    sees: async ({ ask }) => {
      const { result } = await ask({ path: "//zones?name=production.customers.acme.example" });
      const [{ id }] = result as [{ id: string }];
      return ((await ask({ path: `//zones/${id}` })).result as { name: string }).name;
    },
    right: "production.customers.acme.example",
  },
  {
    it: "there are no custom domains to list",
    authority: sdk("workers.domains.list"),
    sees: async ({ ask }) => (await ask({ path: "/workers/domains" })).result,
    right: [],
  },
  {
    it: "a Worker that is deleted leaves no containers behind, and wrangler learns it",
    authority: wrangler("4.164.0, `delete`: GET containers/applications"),
    sees: async ({ ask }) => (await ask({ path: "/containers/applications" })).result,
    right: [],
  },
  {
    it: "the account itself, and its settings of Workers",
    authority: sdk("accounts.get, workers.accountSettings.get"),
    sees: async ({ ask }) => {
      const account = (await ask({ path: "" })).result as { name: string };
      return [account.name, (await ask({ path: "/workers/account-settings" })).result];
    },
    right: ["local cloud", { default_usage_model: "standard", green_compute: false }],
  },
  {
    it: "Workers are searched by a part of their name",
    authority: sdk("workers.scripts.search"),
    sees: async ({ ask, worker }) => {
      const { result } = await ask({ path: `/workers/scripts-search?name=${worker.slice(1)}` });
      return (result as { script_name: string }[]).map(({ script_name }) => script_name.length > 0);
    },
    right: [true],
  },
  {
    it: "a path that Cloudflare has not either is unknown",
    authority: docs("fundamentals/api/troubleshooting: 7003"),
    sees: async ({ ask }) => (await ask({ path: "/workers/no-such-thing" })).code,
    right: 7003,
  },
  {
    it: "a binding to a queue is refused by its type",
    authority: `${metadataPage}: queue`,
    sees: async (at) => {
      const bindings = [{ type: "queue", name: "JOBS", queue_name: "jobs" }];
      const { status, message } = await at.ask(putRequest(script(at.worker), uploadForm(code("x"), { bindings })));
      return [status, /JOBS.*"queue"/.test(message), bindingsOf(at)];
    },
    right: [400, true, ["GREETING", "KEY"]],
  },
  absent("queues are refused by their name", wrangler("`queues list`, `deploy` with consumers"), "queues", () => ({
    path: "/queues?page=1&name=jobs",
  })),
  absent(
    "static assets are refused by their name",
    wrangler("`deploy` with assets: POST assets-upload-session"),
    "static assets",
    (worker) => postRequest(script(worker, "/assets-upload-session"), { manifest: {} }),
  ),
  absent("metadata with assets likewise", `${metadataPage}: assets`, "static assets", (worker) =>
    putRequest(script(worker), uploadForm(code("x"), { assets: { jwt: "t" } })),
  ),
  absent(
    "custom domains are refused by their name, and the remedy is said",
    wrangler("`deploy` with custom_domain: POST domains/changeset"),
    "custom domains (give a route instead)",
    (worker) => postRequest(script(worker, "/domains/changeset?replace_state=true"), []),
  ),
  absent(
    "custom domains of the SDK likewise",
    sdk("workers.domains.update"),
    "custom domains (give a route instead)",
    (worker) => putRequest("/workers/domains", { hostname: "a.example", service: worker, zone_id: "0" }),
  ),
  absent("crons are refused by their name", wrangler("`deploy` with crons: PUT schedules"), "cron triggers", (worker) =>
    putRequest(script(worker, "/schedules"), [{ cron: "* * * * *" }]),
  ),
  absent("D1 is refused by its name", wrangler("`d1 list`"), "D1", () => ({ path: "/d1/database?page=1" })),
  absent("R2 is refused by its name", wrangler("`r2 bucket list`"), "R2", () => ({ path: "/r2/buckets" })),
  absent("Hyperdrive is refused by its name", wrangler("`hyperdrive list`"), "Hyperdrive", () => ({
    path: "/hyperdrive/configs",
  })),
  absent(
    "Workers for Platforms are refused by their name",
    sdk("workersForPlatforms"),
    "Workers for Platforms",
    () => ({
      path: "/workers/dispatch/namespaces",
    }),
  ),
  ...[
    ["/email/routing/addresses", "email", sdk("emailRouting.addresses")],
    ["/challenges/widgets", "Turnstile", sdk("turnstile.widgets")],
    ["/event_notifications/r2/b/configuration", "event notifications", wrangler("`r2 bucket notification list`")],
    ["/analytics_engine/sql", "Analytics Engine's SQL", docs("analytics/analytics-engine/sql-api")],
    ["/logpush/jobs", "Logpush", sdk("logpush.jobs")],
    ["/workers/durable_objects/namespaces/n/objects", "lists of objects", sdk("durableObjects.namespaces.objects")],
    ["/ai-search/instances", "AI Search", wrangler("`ai-search list`")],
    ["/rulesets", "rulesets", sdk("rulesets.list")],
  ].map(([path = "", what = "", authority = ""]) =>
    absent(`${what}: ${path} is refused by its name`, authority, what, () => ({ path })),
  ),
  {
    it: "a zone's products are refused by their names as well",
    authority: sdk("cache.purge, rulesets.list, customHostnames.list"),
    sees: async ({ local: { cloud } }) => {
      const seen: unknown[] = [];
      for (const [method, path] of [
        ["POST", "purge_cache"],
        ["GET", "rulesets/phases/http_request_transform/entrypoint"],
        ["GET", "custom_hostnames"],
      ]) {
        const headers = { authorization: `Bearer ${cloud.token}` };
        const answer = await fetch(`${cloud.api}/zones/z/${path}`, { method: method as string, headers });
        const { errors } = (await answer.json()) as { readonly errors: readonly { readonly message: string }[] };
        seen.push([answer.status, errors[0]?.message.split(":")[0]]);
      }
      return seen;
    },
    right: [
      [400, "purges of the cache"],
      [400, "rulesets"],
      [400, "custom hostnames"],
    ],
  },
  {
    it: "a zone's rules that set request headers are kept; an expression that nothing here evaluates is refused",
    authority: docs("rules/transform/request-header-modification"),
    sees: async ({ local: { cloud } }) => {
      const headers = { authorization: `Bearer ${cloud.token}`, "content-type": "application/json" };
      const url = `${cloud.api}/zones/z/rulesets/phases/http_request_late_transform/entrypoint`;
      const rule = (expression: string) => ({
        ref: "r",
        expression,
        action: "rewrite",
        action_parameters: { headers: { "x-a": { operation: "remove" } } },
      });
      const put = async (expression: string) => {
        const answer = await fetch(url, {
          method: "PUT",
          headers,
          body: JSON.stringify({ rules: [rule(expression)] }),
        });
        return answer.status;
      };
      const before = (await fetch(url, { headers })).status;
      const statuses = [await put('(http.host in {"a.example"})'), await put("ip.src eq 1.1.1.1")];
      const { result } = (await (await fetch(url, { headers })).json()) as {
        readonly result: { readonly phase: string; readonly rules: readonly { readonly expression: string }[] };
      };
      return [before, ...statuses, result.phase, result.rules.map(({ expression }) => expression)];
    },
    right: [404, 200, 400, "http_request_late_transform", ['(http.host in {"a.example"})']],
  },
  {
    it: "a token that is the account's own is one that holds",
    authority: sdk("accounts.tokens.verify; wrangler whoami of a token of the account"),
    sees: async ({ ask }) => (await ask({ path: "/tokens/verify" })).result,
    right: { id: "t", status: "active" },
  },
  {
    it: "fields that are nested without end are refused at once, and no fault of the cloud",
    authority: docs("fundamentals/api/reference/errors: 4xx for what the client sent"),
    sees: async ({ ask, worker }) => {
      const deep = form({ [`metadata${"[a]".repeat(20_000)}`]: "x", "main.js": file(code("x")) });
      const wide = new FormData();
      for (let index = 0; index < 9000; index++) wide.append(`metadata[k${index}]`, "x");
      const { status, code: fault, message } = await ask(putRequest(script(worker), deep));
      return [status, fault, /nested/.test(message), (await ask(putRequest(script(worker), wide))).status];
    },
    right: [400, 10001, true, 400],
  },
  absent("the beta API of Workers is refused by its name", sdk("workers.beta.workers"), "the beta API of Workers", () =>
    postRequest("/workers/workers", { name: "x" }),
  ),
];
