/** Nothing outlives a cloud in this process, whatever is in flight when it ends. */
import { once } from "node:events";
import fs from "node:fs";
import path from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { WebSocket } from "ws";
import { emptyAccount } from "../../infra/cloud/account/account.ts";
import { startMachine } from "../../infra/cloud/machine/machine.ts";
import { machinePids } from "../../infra/cloud/machine/orphans.ts";
import { bundleRouter } from "../../infra/cloud/machine/router.ts";
import { writeProject } from "../e2e/project.ts";
import { until } from "../until.ts";
import { startLocalCloud, temporaryFolder } from "./in-process-cloud.ts";
import { onSubdomain, publication } from "./uploads.ts";

it("a runtime that never says that it is ready is ended with its start", async () => {
  const folder = temporaryFolder();
  const script = path.join(writeProject({ "hangs.sh": "#!/bin/sh\nexec sleep 600\n" }), "hangs.sh");
  fs.chmodSync(script, 0o755);
  const before = process.env.MINIFLARE_WORKERD_PATH;
  process.env.MINIFLARE_WORKERD_PATH = script;
  onTestFinished(() => {
    if (before === undefined) delete process.env.MINIFLARE_WORKERD_PATH;
    else process.env.MINIFLARE_WORKERD_PATH = before;
  });
  const closing = new AbortController();
  const starting = startMachine({
    ...{ id: "m1", account: emptyAccount, versions: [], folder, secret: "s", code: await bundleRouter(), isolates: 1 },
    ...{ realism: null, ownsObjects: false, storageAddress: null, strict: false, signal: closing.signal },
    readBlob: () => Buffer.of(),
    handleCloudRequest: async () => new Response(),
    log: () => {},
  });
  starting.catch(() => {});
  await until(() => machinePids(folder).length === 1, "the runtime runs");
  closing.abort(new Error("stopped"));
  await expect(starting).rejects.toThrow("stopped");
  await until(() => machinePids(folder).length === 0, "the runtime has ended");
});

it("a cloud that is closed while Workers are uploaded, machines merged and a WebSocket is open", async () => {
  const folder = temporaryFolder();
  const { control, edge, close } = await startLocalCloud({ folder });
  const echo = `export default { fetch() {
    const [client, server] = Object.values(new WebSocketPair());
    server.accept();
    return new Response(null, { status: 101, webSocket: client });
  } };`;
  await control.publish([publication("echo", echo)]);
  await control.changeSettings("echo", onSubdomain);
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
  expect(machinePids(folder)).toEqual([]);
  expect((await Promise.all(answers)).slice(0, 7)).toEqual(Array(7).fill("done"));
});
