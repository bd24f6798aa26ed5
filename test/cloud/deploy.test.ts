/** Deploys, lists and rolls back releases on a local cloud: first, unchanged, split, and back. */
import { once } from "node:events";
import http from "node:http";
import { text } from "node:stream/consumers";
import { expect, it } from "vitest";
import type { Cloud } from "../../infra/cloud/cloud.ts";
import { deploy } from "../../infra/commands/release/deploy.ts";
import { runService, writeProject } from "../e2e/project.ts";
import { deployHarness, environment, tier } from "./deploy-harness.ts";

/** `fetch` sets the Host header itself. */
const asHost = async (url: string, host: string): Promise<string> => {
  const [response] = (await once(http.get(url, { headers: { host } }), "response")) as [http.IncomingMessage];
  return text(response);
};

const sharesOf = (cloud: Cloud, worker: string) =>
  cloud.control.worker(worker).deployments[0]?.versions.map(({ percentage }) => percentage);

it("brings all of it, then only what has changed, as a split that comes back in one call", async () => {
  const upstream = await runService((_, response) => response.end("ok"));
  const limited = "filters: [{ rate-limit: { limit: 1000/m, by: ip, count: exact } }]\n";
  const { cloud, edit, get, ...postern } = await deployHarness({
    "routes/a.yaml": tier("a", upstream.url, "first", limited),
    "routes/b.yaml": tier("b", upstream.url, "first"),
  });
  expect((await postern.deploy()).done).toEqual({
    "state-shared-test": "created 100",
    "gate-a-test": "created 100",
    "gate-b-test": "created 100",
    "postern-front-test": "created 100",
  });
  expect(await get("/a/it")).toEqual({ status: 200, text: "ok" });
  expect(await get("/a/which")).toEqual({ status: 200, text: "first" });
  // Only the front can reach gates.
  for (const name of ["gate-a-test", "state-shared-test", "postern-front-test"])
    expect(await asHost(cloud.edge, `${name}.localhost`)).toContain("nothing is routed");

  const again = await postern.deploy();
  expect(Object.values(again.done)).toEqual(Array(4).fill("unchanged 100"));
  expect(again.text).toContain("nothing has changed");

  edit("routes/a.yaml", tier("a", upstream.url, "second", limited));
  edit("routes/b.yaml", "tier: broken by another team\n");
  // One team's release needs no other's manifest.
  expect((await postern.deploy(["a"], "25")).done).toEqual({
    "state-shared-test": "unchanged 100",
    "gate-a-test": "uploaded 25",
  });
  expect(sharesOf(cloud, "gate-a-test")).toEqual([75, 25]);
  const responses = await Promise.all(Array.from({ length: 200 }, () => get("/a/which")));
  const second = responses.filter(({ text }) => text === "second").length;
  // 25 % of 200: beyond 20 and 80 once in a million runs.
  expect(responses.every(({ status }) => status === 200) && second > 20 && second < 80).toBe(true);
  expect((await get("/b/which")).text).toBe("first");

  const listed = await postern.releases("a");
  expect(listed.text).toContain("a reason");
  expect(listed.text).toMatch(/ #{3} +25 %\n[\s\S]* #{8} +75 %\n/);
  expect((await postern.rollback("a")).exitCode).toBe(0);
  expect(sharesOf(cloud, "gate-a-test")).toEqual([100]);
  expect((await get("/a/which")).text).toBe("first");
  // A version that was taken back is not deployed by accident; the others are.
  edit("routes/b.yaml", tier("b", upstream.url, "third"));
  const refused = await postern.deploy();
  expect([refused.exitCode, refused.text]).toEqual([
    3,
    expect.stringMatching(/^gate-a-test: version [0-9a-f]{8} was taken back by .* UTC: postern rollback\n.*--force$/ms),
  ]);
  expect(refused.done).toEqual({
    "state-shared-test": "unchanged 100",
    "gate-a-test": "refused 0",
    "gate-b-test": "uploaded 100",
    "postern-front-test": "unchanged 100",
  });
  expect((await get("/a/which")).text).toBe("first");
  // What was uploaded once is put live without another upload.
  expect((await postern.deploy(["a"], "100", undefined, true)).done["gate-a-test"]).toBe("deployed 100");
  expect((await get("/a/which")).text).toBe("second");
  expect(cloud.control.worker("gate-a-test").versions).toHaveLength(2);
  // A version that has all requests is not deployed again.
  const { length } = cloud.control.worker("gate-a-test").deployments;
  expect((await postern.deploy(["a"], "0")).done["gate-a-test"]).toBe("unchanged 100");
  expect(cloud.control.worker("gate-a-test").deployments).toHaveLength(length);
});

it.each([
  ["a tier that is not there", ["opn"], { message: /there is no tier "opn"/ }],
  ["a split that is none", ["a"], { split: "101", message: /--split takes 0 to 100/ }],
  ["a target that is none", ["a"], { target: "elsewhere", message: /--target takes cloudflare, local/ }],
  ["a target on another machine", ["a"], { target: "http://10.0.0.1:80", message: /--target takes/ }],
  ["a cloud that does not run", ["a"], { target: "http://127.0.0.1:9", message: /127\.0\.0\.1:9 does not answer/ }],
])("%s is said before anything is done", async (_, tiers, { message, ...given }) => {
  const root = writeProject({
    "routes/environments/test.yaml": environment,
    "routes/a.yaml": tier("a", "http://localhost:9", "x"),
  });
  const options = { root, env: "test", target: "http://127.0.0.1:9", split: "100", ...given };
  await expect(deploy(tiers, options)).rejects.toThrow(message);
});
