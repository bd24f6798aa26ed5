/** Nothing outlives a cloud, however it ends and whatever is under way: a start that hangs, uploads, a WebSocket, a signal. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";
import { expect, it, onTestFinished } from "vitest";
import { WebSocket } from "ws";
import { accountId, localToken } from "../../infra/cloud/account/access.ts";
import { emptyAccount } from "../../infra/cloud/account/account.ts";
import { startMachine } from "../../infra/cloud/edge/machine.ts";
import { machinesOn } from "../../infra/cloud/edge/orphans.ts";
import { routerCode } from "../../infra/cloud/edge/router.ts";
import { home } from "../../infra/project/generated-files.ts";
import { project } from "../e2e/city.ts";
import { until } from "../until.ts";
import { uploadOf } from "./form.ts";
import { folderFor, liveCloud } from "./live.ts";
import { onSubdomain, publication } from "./uploads.ts";

it("a runtime that never says that it is ready is ended with its start", async () => {
  const folder = folderFor();
  const script = path.join(project({ "hangs.sh": "#!/bin/sh\nexec sleep 600\n" }), "hangs.sh");
  fs.chmodSync(script, 0o755);
  const before = process.env.MINIFLARE_WORKERD_PATH;
  process.env.MINIFLARE_WORKERD_PATH = script;
  onTestFinished(() => {
    if (before === undefined) delete process.env.MINIFLARE_WORKERD_PATH;
    else process.env.MINIFLARE_WORKERD_PATH = before;
  });
  const closing = new AbortController();
  const starting = startMachine({
    ...{ id: "m1", account: emptyAccount, versions: [], folder, secret: "s", code: await routerCode(), isolates: 1 },
    ...{ realism: null, home: false, stores: null, strict: false, signal: closing.signal },
    read: () => Buffer.of(),
    cloud: async () => new Response(),
    log: () => {},
  });
  starting.catch(() => {});
  await until(() => machinesOn(folder).length === 1, "the runtime runs");
  closing.abort(new Error("stopped"));
  await expect(starting).rejects.toThrow("stopped");
  expect(machinesOn(folder)).toEqual([]);
});

it("a cloud that is closed while Workers are uploaded, machines merged and a WebSocket is open", async () => {
  const folder = folderFor();
  const { control, edge, close } = await liveCloud({ folder });
  const echo = `export default { fetch() {
    const [client, server] = Object.values(new WebSocketPair());
    server.accept();
    return new Response(null, { status: 101, webSocket: client });
  } };`;
  await control.publish([publication("echo", echo)]);
  await control.change("echo", onSubdomain);
  const socket = new WebSocket(edge.replace("http", "ws"), { headers: { host: "echo.local.workers.dev" } });
  socket.on("error", () => {});
  await once(socket, "open");
  const answers = Array.from({ length: 9 }, (_, index) =>
    control.publish([publication(`w${index}`, "export default { fetch: () => new Response() };")]).then(
      () => "done",
      () => "refused",
    ),
  );
  // One more than make a merge.
  await answers[6];
  await close();
  expect(machinesOn(folder)).toEqual([]);
  expect((await Promise.all(answers)).slice(0, 7)).toEqual(Array(7).fill("done"));
});

/** `postern cloud` in a process of its own. */
const running = async (folder: string): Promise<{ readonly child: ChildProcess; readonly api: string }> => {
  const args = ["infra/cli.ts", "cloud", "--state", folder, "--api-port", "0", "--edge-port", "0", "--json"];
  const child = spawn(path.join(home, "node_modules/.bin/node"), args, {
    cwd: home,
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
  const [line] = (await once(lines, "line")) as [string];
  child.stdout?.resume();
  return { child, api: (JSON.parse(line) as { readonly api: string }).api };
};

it.each(["SIGTERM", "SIGINT", "SIGHUP", "SIGKILL"] as const)("%s while Workers are uploaded", async (signal) => {
  const folder = folderFor();
  const { child, api } = await running(folder);
  const headers = { authorization: `Bearer ${localToken}` };
  let answered = 0;
  for (let index = 0; index < 8; index++)
    void fetch(`${api}/accounts/${accountId}/workers/scripts/w${index}`, {
      method: "PUT",
      headers,
      body: uploadOf("export default { fetch: () => new Response() };"),
    }).then(
      () => answered++,
      () => {},
    );
  await until(() => answered > 0 && machinesOn(folder).length > 1, "an upload is done, and others are under way");
  child.kill(signal);
  await once(child, "exit");
  await until(() => machinesOn(folder).length === 0, "its machines have ended");
});
