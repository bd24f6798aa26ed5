/** What `postern deploy` does after an upload: checks the control plane, says how each Worker was released and how it comes back. */
import fs from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { parse } from "yaml";
import { selfCheck } from "../../functions/control/wiring/self-check.ts";
import { compile } from "../../infra/compiler/compile.ts";
import type { Emitted } from "../../infra/compiler/emit/emit.ts";
import { afterDeploy } from "../../infra/release/after-deploy.ts";
import type { DeployedWorker } from "../../infra/release/deploy-worker.ts";
import { targetOf, workersOf } from "../../infra/release/target.ts";
import { manifest, writeProject } from "../e2e/project.ts";
import { bank } from "../fixtures/bank.ts";

const samples = parse(fs.readFileSync(path.join(bank, "routes/environments/local.yaml"), "utf8")) as {
  readonly control: object;
  readonly dev: { readonly secrets: object };
};

const limited = manifest(
  "a",
  `level: core
filters: [{ rate-limit: { limit: 1000/m, by: ip, count: exact } }]
routes: { it: { match: GET /it, respond: { status: 200 } } }
`,
);

const projectWith = (control: string, secrets: object = samples.dev.secrets): string =>
  writeProject({
    "routes/a.yaml": limited,
    "routes/environments/local.yaml": JSON.stringify({
      control: { ...samples.control, front: control },
      dev: { secrets },
    }),
  });

/** Control's API, which answers each call with the next of these, and then with the last. */
const controlAnswering = async (...answers: readonly object[]): Promise<string> => {
  const left = [...answers];
  const server = http.createServer((_, response) => {
    const answer = left.length > 1 ? left.shift() : left[0];
    response.end(JSON.stringify(answer));
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
};

const workers: Readonly<Record<string, Emitted["kind"]>> = {
  "state-a-local": "state",
  "postern-feed-local": "feed",
  "postern-control-local": "control",
  "postern-tail-local": "tail",
  "gate-a-local": "gate",
};

const after = (
  root: string,
  what: DeployedWorker["what"] = "uploaded",
  {
    all = workers,
    split = 100,
  }: { readonly all?: Readonly<Record<string, Emitted["kind"]>>; readonly split?: number } = {},
) => {
  const names = Object.keys(all);
  return afterDeploy({
    root,
    target: targetOf("http://127.0.0.1:1"),
    split,
    compiled: compile(root, "local"),
    selected: names.map((worker) => ({ worker, kind: all[worker] }) as Emitted),
    results: names.map((worker) => ({ worker, what, share: 100, ms: 1 })),
  });
};

const fine = { part: "feed", ok: true, why: null };
const lost = { part: "feed", ok: false, why: "the feed answered 500" };

it("says how each Worker that takes all requests at once was released, and how it comes back", async () => {
  const root = projectWith(await controlAnswering([fine]));
  const { text, isFailed, data } = await after(root);
  expect(
    text,
  ).toBe(`state-a-local: all at once; its objects restart, and counts and nonces stay; back: npx postern rollback state-a --target http://127.0.0.1:1
postern-feed-local: all at once; its objects restart, and gates keep their last overlay meanwhile; back: npx postern rollback feed --target http://127.0.0.1:1
postern-control-local: all at once; its objects restart, and rollouts continue where they were; back: npx postern rollback control --target http://127.0.0.1:1
postern-tail-local: all at once; what ends meanwhile may be missing in the counts of deaths; back: npx postern rollback tail --target http://127.0.0.1:1
checked: control, its objects, the feed and the actuator answer
`);
  expect([isFailed, data.control]).toEqual([false, { ok: true, why: "" }]);
  expect((await after(root, "unchanged")).text).toBe("");
  // Each name that it says is one that the command knows.
  for (const name of ["state-a", "feed", "control", "tail", "actuator", "front"])
    expect(workersOf(root, "local", name)).toHaveLength(1);
  expect(workersOf(root, "local", "state-a")).toEqual(["state-a-local"]);
  expect(() => workersOf(root, "local", "state-b")).toThrow(/there is no tier "state-b"/);
});

it("waits for a new version of the control plane to answer", async () => {
  const root = projectWith(await controlAnswering([lost], [lost, fine], [fine]));
  expect((await after(root)).data.control).toEqual({ ok: true, why: "" });
});

it("fails where a part does not answer, unless its Workers are new", async () => {
  const root = projectWith(await controlAnswering([lost, fine]));
  const { text, isFailed } = await after(root);
  expect([text.split("\n").at(-2), isFailed]).toEqual(["the check failed: feed: the feed answered 500", true]);
  expect(await after(root, "created")).toMatchObject({ isFailed: false, data: { control: { ok: false } } });
});

it("does not fail where no operator is known", async () => {
  const { text, isFailed } = await after(projectWith(await controlAnswering([fine]), {}));
  expect([text.split("\n").at(-2), isFailed]).toEqual([expect.stringMatching(/^not checked: no operator/), false]);
});

it("says that a split of the front is by request where no rule keeps users on a version", async () => {
  const root = projectWith(await controlAnswering([fine]));
  const all = { "postern-front-local": "front" } as const;
  const { text, data, isFailed } = await after(root, "uploaded", { all, split: 10 });
  expect(text).toMatch(
    /^the front's versions are divided by request and not by user: .*127\.0\.0\.1:1 does not answer/,
  );
  expect([data.front?.sticky, isFailed]).toEqual([false, false]);
  // All users have one version.
  expect((await after(root, "uploaded", { all })).text).toBe("");
});

it("control calls all that it depends on, and names what does not answer", async () => {
  const object = (calls: object) => ({ getByName: () => calls });
  const env = {
    FEED: { fetch: async () => new Response("no", { status: 500 }) },
    ACTUATOR: {
      fetch: async () => Response.json({ ok: false, status: 403, code: 10000, message: "the token is invalid" }),
    },
    TELEMETRY: object({ tallies: async () => [] }),
    ROLLOUTS: object({ status: async () => undefined }),
    WAVES: object({
      status: async () => {
        throw new Error("the object was reset");
      },
    }),
    LEDGER: object({ lines: async () => [] }),
    NOTICES: object({ status: async () => ({}) }),
  };
  const plan = { tiers: { a: {} }, frontFacts: { workers: ["postern-front"] } };
  const parts = await selfCheck(plan as never, env as never);
  expect(parts.filter(({ ok }) => !ok)).toEqual([
    { part: "feed", ok: false, why: "the feed answered 500" },
    { part: "actuator", ok: false, why: "the token is invalid" },
    { part: "waves", ok: false, why: "the object was reset" },
  ]);
  expect(parts).toHaveLength(7);
});
