/** A test that starts processes and leaves them running: it fails, or runs until the whole run is ended. */
import { spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { it } from "vitest";
import { startRuntime } from "../../infra/cases/runtime.ts";
import { startCloud } from "../../infra/cloud/cloud.ts";

const { POSTERN_FIXTURE_FAILS: fails, POSTERN_FIXTURE_READY: ready = "" } = process.env;

it("leaves all of it", async () => {
  await startCloud({ folder: fs.mkdtempSync(path.join(os.tmpdir(), "postern-cloud-")), edgePort: 0 });
  await startRuntime();
  spawn("sleep", ["1000"], { detached: true, stdio: "ignore" }).unref();
  fs.writeFileSync(ready, os.tmpdir());
  if (fails) throw new Error("as it should");
  await new Promise(() => {});
});
