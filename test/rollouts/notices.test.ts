/** Notices of a rolled-back rollout: signed webhooks to a receiver that was down, and GitHub deployments. */
import { execFileSync } from "node:child_process";
import path from "node:path";
import { text } from "node:stream/consumers";
import { Webhook } from "standardwebhooks";
import { expect, it } from "vitest";
import type { ChannelStatus, ChannelTest } from "../../functions/control/notifications/dispatcher.ts";
import { payloadOf, payloads } from "../../functions/control/notifications/payloads.ts";
import { manifest, runService, writeProject } from "../e2e/project.ts";
import { until } from "../until.ts";
import { rolloutCloud } from "./rollout-cloud.ts";

const secret = `whsec_${Buffer.from("a secret of thirty-two bytes ....").toString("base64")}`;
const commit = "0123456789abcdef0123456789abcdef01234567";

const tier = (status: number) =>
  manifest(
    "a",
    `release: { steps: ["0%", "100%"], bake: 1s, smoke: [{ send: GET /it, expect: 200 }] }
routes:
  it: { match: GET /it, respond: { status: ${status}, text: "it" } }
`,
  );

interface ReceivedNotice {
  readonly id: string;
  readonly type: keyof typeof payloads;
}

/** Answers 500 while it is down. */
const receiver = async () => {
  const state = { down: true };
  const received: ReceivedNotice[] = [];
  const missed: string[] = [];
  const { url } = await runService(async (request, response) => {
    const body = await text(request);
    const id = String(request.headers["webhook-id"]);
    response.statusCode = state.down ? 500 : 204;
    response.end();
    if (state.down) return void missed.push(id);
    const { type } = new Webhook(secret).verify(body, request.headers as Record<string, string>) as ReceivedNotice;
    payloadOf(type).parse(JSON.parse(body));
    received.push({ id, type });
  });
  return { url, state, received, missed };
};

/** Records requests, to compare them with GitHub's description. */
const github = async () => {
  const calls: { readonly what: "deployment" | "status"; readonly body: string }[] = [];
  const { url } = await runService(async (request, response) => {
    const body = await text(request);
    const allowed = request.headers.authorization === "Bearer token-of-github";
    response.statusCode = !allowed ? 401 : request.method === "GET" ? 200 : 201;
    const made = request.url?.endsWith("/statuses") ? "status" : "deployment";
    if (request.method === "POST") calls.push({ what: made, body });
    response.end(request.method === "GET" ? "[]" : JSON.stringify({ id: 7 }));
  });
  return { url, calls };
};

/** @returns the compiler's errors for the bodies, typed as those of GitHub's operations */
const typeErrors = (calls: Awaited<ReturnType<typeof github>>["calls"]): string => {
  const modules = path.resolve(import.meta.dirname, "../../node_modules");
  const operations = { deployment: "repos/create-deployment", status: "repos/create-deployment-status" };
  const lines = calls.map(
    ({ what, body }, index) =>
      `export const it${index}: operations["${operations[what]}"]["requestBody"]["content"]["application/json"] = ${body};`,
  );
  const root = writeProject({
    "bodies.ts": `import type { operations } from "${modules}/@octokit/openapi-types/types.d.ts";\n${lines.join("\n")}\n`,
  });
  const file = path.join(root, "bodies.ts");
  try {
    const compiler = path.join(modules, ".bin/tsc");
    return String(execFileSync(compiler, ["--ignoreConfig", "--noEmit", "--strict", "--types", "", file]));
  } catch (error) {
    return String((error as { readonly stdout: Buffer }).stdout);
  }
};

it("notices report each decision once and in order, also after a receiver was down", {
  timeout: 120_000,
}, async () => {
  const [hook, repository] = [await receiver(), await github()];
  const it = await rolloutCloud(
    {
      "routes/a.yaml": tier(200),
      ".secrets/local.json": JSON.stringify({ POSTERN_WEBHOOK_SECRET: secret, GITHUB_TOKEN: "token-of-github" }),
    },
    {},
    { webhook: `${hook.url}/hooks?key=abc`, github: "acme/routes", "github-api": repository.url },
  );
  const testChannels = () => it.client.call<readonly ChannelTest[]>("POST", "/v1/notices/test", {});
  expect(await testChannels()).toMatchObject([
    { channel: "webhook", to: hook.url, ok: false, error: "answered 500" },
    { channel: "github", to: "acme/routes", ok: true },
  ]);
  await expect(it.clientAs("carol").call("POST", "/v1/notices/test", {})).rejects.toThrow("carol is viewer");

  it.edit("routes/a.yaml", tier(500));
  await it.deploy(["a"], "0");
  await it.start("a", { commit });
  expect(await it.settled("a", 30_000)).toMatchObject({ status: "rolled-back" });
  await until(() => hook.missed.length >= 4, "each notice was tried");
  hook.state.down = false;
  await until(() => hook.received.length >= 3, "each notice has come");

  expect(hook.received.map(({ type }) => type).sort()).toEqual([
    "rollout.failed",
    "rollout.rolled_back",
    "rollout.started",
  ]);
  expect(hook.missed).toEqual(expect.arrayContaining(hook.received.map(({ id }) => id)));
  const bodies = repository.calls.map(({ body }) => JSON.parse(body));
  expect(bodies).toMatchObject([
    { ref: commit, environment: "local/a" },
    { state: "in_progress" },
    { state: "failure", description: expect.stringContaining("smoke test GET /it") },
    { state: "failure" },
  ]);
  expect(typeErrors(repository.calls)).toBe("");
  expect(typeErrors([{ what: "status", body: '{"state":"going"}' }])).toContain("going");

  const { channels } = await it.client.call<{ readonly channels: readonly ChannelStatus[] }>("GET", "/v1/notices");
  expect(channels).toMatchObject([
    { pending: 0, heard: 3, givenUp: 0 },
    { pending: 0, heard: 3, givenUp: 0 },
  ]);
  const told = JSON.stringify([channels, it.lines, await it.client.call("GET", "/v1/audit")]);
  for (const one of [secret.slice(6), "token-of-github", "key=abc"]) expect(told).not.toContain(one);
  const { webhooks } = await it.client.call<{ readonly webhooks: object }>("GET", "/openapi.json");
  expect(Object.keys(webhooks).sort()).toEqual(Object.keys(payloads).sort());
});
