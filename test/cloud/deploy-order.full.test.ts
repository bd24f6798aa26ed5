/** Deploys that were interrupted, and the order in which Workers of one tier are deployed. */
import { expect, it } from "vitest";
import { compile } from "../../infra/compiler/compile.ts";
import { emit } from "../../infra/compiler/emit/emit.ts";
import { publicationOf } from "../../infra/release/publication.ts";
import { runService } from "../e2e/project.ts";
import { deployHarness, tier } from "./deploy-harness.ts";

it("goes on where it was broken off", async () => {
  const upstream = await runService((_, response) => response.end("ok"));
  const { cloud, root, edit, get, ...postern } = await deployHarness({
    "routes/a.yaml": tier("a", upstream.url, "first"),
  });
  await postern.deploy();
  edit("routes/a.yaml", tier("a", upstream.url, "second"));
  // As if it had ended between the upload and the deployment.
  const [gate] = await emit(root, compile(root, "test"), { only: "a" });
  if (!gate) throw new Error("nothing was built");
  await cloud.control.publish([{ ...publicationOf(gate, { secrets: {}, exists: () => true }), deploy: false }]);
  expect((await get("/a/which")).text).toBe("first");
  // Without a share it is not deployed, not even at 0 %.
  expect((await postern.deploy(["a"], "0")).done).toEqual({ "gate-a-test": "deployed 0" });
  expect(cloud.control.worker("gate-a-test").deployments[0]?.versions.map(({ percentage }) => percentage)).toEqual([
    100, 0,
  ]);
  expect((await postern.deploy(["a"])).done).toEqual({ "gate-a-test": "deployed 100" });
  expect((await get("/a/which")).text).toBe("second");
  // As if it had ended between the front's version and its routes.
  await cloud.control.changeSettings("postern-front-test", { routes: [] });
  expect((await get("/a/which")).status).toBe(404);
  await postern.deploy();
  expect((await get("/a/which")).text).toBe("second");
});

it("a route is lifted before its tier's gate lets go of it", async () => {
  const upstream = await runService((_, response) => response.end("ok"));
  const plain = tier("a", upstream.url, "first");
  const { cloud, edit, get, ...postern } = await deployHarness({ "routes/a.yaml": plain });
  await postern.deploy();
  edit("routes/a.yaml", plain.replace("to: it }", "to: it, isolation: route }"));
  await expect(postern.deploy(["a"])).rejects.toThrow(/npx postern deploy a front/);
  let isRunning = true;
  const statuses: number[] = [];
  const client = (async () => {
    while (isRunning) statuses.push((await get("/a/it")).status);
  })();
  expect((await postern.deploy()).done).toEqual({
    "gate-a--it-test": "created 100",
    "postern-front-test": "uploaded 100",
    "gate-a-test": "uploaded 100",
  });
  isRunning = false;
  await client;
  expect(statuses.filter((status) => status !== 200)).toEqual([]);
  const at = (worker: string) => cloud.control.worker(worker).deployments[0]?.createdOn ?? "";
  const times = ["gate-a--it-test", "postern-front-test", "gate-a-test"].map(at);
  expect(times).toEqual(times.toSorted());
});
