/** A wrangler that gets no response, or is killed, is a failure. */
import fs from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import { common } from "../../infra/compiler/lower/platform.ts";
import { targetOf } from "../../infra/release/target.ts";
import { WranglerError, wrangler } from "../../infra/release/wrangler.ts";
import { writeProject } from "../e2e/project.ts";
import { until } from "../until.ts";
import { startFaultProxy } from "./fault-proxy.ts";

const upload = () => {
  const root = writeProject({
    "wrangler.json": JSON.stringify({ name: "it", main: "it.js", ...common }),
    "it.js": "export default { fetch: () => new Response() };",
  });
  return ["deploy", "-c", path.join(root, "wrangler.json")];
};

it("a wrangler that gets no answer is ended, and is no success", async () => {
  const api = await startFaultProxy("http://127.0.0.1:9", (call) => (call.startsWith("PUT") ? "hang" : 404));
  const ran = wrangler(targetOf(api), upload(), undefined, 6000);
  await expect(ran).rejects.toThrow(/did not end within 6 s, and was killed/);
  await expect(ran).rejects.toBeInstanceOf(WranglerError);
});

it("a wrangler that the system kills is no success", async () => {
  let waiting = false;
  const api = await startFaultProxy("http://127.0.0.1:9", (call) => {
    waiting ||= call.startsWith("PUT");
    return call.startsWith("PUT") ? "hang" : 404;
  });
  const args = upload();
  const ran = wrangler(targetOf(api), args);
  ran.catch(() => {});
  await until(() => waiting, "the upload is under way");
  for (const pid of running(args.at(-1) ?? "")) process.kill(pid, "SIGKILL");
  await expect(ran).rejects.toThrow(/SIGKILL/);
});

/** Processes that have this word on their command line. */
const running = (word: string): number[] =>
  fs.readdirSync("/proc").flatMap((name) => {
    try {
      return fs.readFileSync(`/proc/${name}/cmdline`, "utf8").split("\0").includes(word) ? [Number(name)] : [];
    } catch {
      return [];
    }
  });
