/** Nothing outlives a cloud in its own process, whatever signal ends it and whatever is in flight. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { createInterface } from "node:readline";
import { it, onTestFinished } from "vitest";
import { accountId, localToken } from "../../infra/cloud/account/access.ts";
import { machinePids } from "../../infra/cloud/machine/orphans.ts";
import { codeRoot } from "../../infra/project/generated-files.ts";
import { until } from "../until.ts";
import { uploadForm } from "./api-client.ts";
import { temporaryFolder } from "./in-process-cloud.ts";

/** `postern cloud` in a process of its own. */
const running = async (folder: string): Promise<{ readonly child: ChildProcess; readonly api: string }> => {
  const args = ["infra/cli.ts", "cloud", "--state", folder, "--api-port", "0", "--edge-port", "0", "--json"];
  const child = spawn(path.join(codeRoot, "node_modules/.bin/node"), args, {
    cwd: codeRoot,
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
  const [line] = (await once(lines, "line")) as [string];
  child.stdout?.resume();
  return { child, api: (JSON.parse(line) as { readonly api: string }).api };
};

it.each(["SIGTERM", "SIGINT", "SIGHUP", "SIGKILL"] as const)("%s while Workers are uploaded", async (signal) => {
  const folder = temporaryFolder();
  const { child, api } = await running(folder);
  const headers = { authorization: `Bearer ${localToken}` };
  let begun = 0;
  let answered = 0;
  const upload = () =>
    fetch(`${api}/accounts/${accountId}/workers/scripts/w${begun++}`, {
      method: "PUT",
      headers,
      body: uploadForm("export default { fetch: () => new Response() };"),
    });
  // One after the other in each, until the cloud has gone.
  const lanes = Array.from({ length: 4 }, async () => {
    for (;;) {
      await upload();
      answered++;
    }
  });
  for (const lane of lanes) lane.catch(() => {});
  await until(() => answered > 0 && machinePids(folder).length > 1, "an upload is done, and others are under way");
  child.kill(signal);
  await once(child, "exit");
  await until(() => machinePids(folder).length === 0, "its machines have ended");
});
