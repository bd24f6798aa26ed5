/** A cloud of many Workers as in a project: gates bound to a state's objects, and a front bound to all gates. */
import fs from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import { writeTiers } from "../../infra/bench/subjects/tiers.ts";
import { machinePids } from "../../infra/cloud/machine/orphans.ts";
import { compile } from "../../infra/compiler/compile.ts";
import { emit } from "../../infra/compiler/emit/emit.ts";
import { byStage } from "../../infra/release/deploy.ts";
import { publicationOf } from "../../infra/release/publication.ts";
import { writeProject } from "../e2e/project.ts";
import { getWorker, startLocalCloud, temporaryFolder } from "./in-process-cloud.ts";

const tiers = 30;

it(`${tiers} tiers are uploaded two at a time, reached, and gone with the cloud`, async () => {
  const root = writeProject({});
  writeTiers(root, "local", tiers);
  const emitted = (await emit(root, compile(root, "local"))).toSorted(byStage);
  expect(emitted).toHaveLength(tiers + 2);
  const folder = temporaryFolder();
  const reports: string[] = [];
  const { control, edge, fleet, close } = await startLocalCloud({ folder, report: (line) => reports.push(line) });
  const waiting = emitted.map((it) => publicationOf(it, { secrets: {}, exists: () => true }));
  const front = waiting.pop();
  const [state, ...gates] = waiting;
  if (!state || !front) throw new Error("nothing was built");
  let most = 0;
  let entries = 0;
  const upload = async (it: typeof front) => {
    await control.publish([it]);
    await control.changeSettings(it.worker, { tags: ["bench"] });
    most = Math.max(most, fleet.size().machines);
    entries = Math.max(entries, fs.readdirSync(path.join(folder, "registry")).length);
  };
  await upload(state);
  await Promise.all(
    [0, 1].map(async (lane) => {
      for (let index = lane; index < gates.length; index += 2) await upload(gates[index] as typeof front);
    }),
  );
  await upload(front);
  await control.changeSettings(front.worker, { routes: [{ id: "r", pattern: "*/*" }] });
  // The storage, the owner of the state's objects, and machines of which none is merged with all others again and again.
  expect(most).toBeLessThan(12);
  // A router and a candidate for the storage of each machine, also of those that drain; never one of a Worker.
  expect(entries).toBeLessThan(2 * (12 + 16));
  expect(fs.readdirSync(path.join(folder, "registry")).filter((name) => name.includes("gate-"))).toEqual([]);
  for (const tier of ["t0", `t${tiers - 1}`]) {
    const { status, body } = await getWorker(edge, "", `/${tier}/v1/r1/7`, { host: "api.acme.example" });
    expect([status, (JSON.parse(body) as { code: string }).code]).toEqual([401, "token-missing"]);
  }
  expect(reports).toEqual([]);
  await close();
  expect(machinePids(folder)).toEqual([]);
});
