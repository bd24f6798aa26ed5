/** Counts of a limit in state outlive the machines. */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { manifest, runProject, runService } from "./project.ts";

/** Of seven requests at once, lowest first. */
const statuses = async (url: string): Promise<number[]> => {
  const all = await Promise.all(Array.from({ length: 7 }, () => fetch(`${url}/t/x`)));
  return all.map(({ status }) => status).sort();
};

it("counts survive a restart", async () => {
  const upstream = await runService((_, response) => response.end("ok"));
  const counts = fs.mkdtempSync(path.join(os.tmpdir(), "postern-counts-"));
  onTestFinished(() => fs.rmSync(counts, { recursive: true, force: true }));
  const files = {
    "routes/t.yaml": manifest(
      "t",
      `level: core
filters: [{ rate-limit: { by: tier, timeout: 20s, limit: 10/day, count: exact } }]
upstreams: { it: { http: "${upstream.url}" } }
routes: { all: { match: "ANY /{rest*}", to: it } }
`,
    ),
  };
  const first = await runProject(files, { stateFolder: counts });
  expect(await statuses(first.url)).toEqual(Array(7).fill(200));
  await first.stop();
  const second = await runProject(files, { stateFolder: counts });
  expect(await statuses(second.url)).toEqual([200, 200, 200, 429, 429, 429, 429]);
});
