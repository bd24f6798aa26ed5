/**
 * Tries own parts in a process of their own before this one loads them: one that never ends, needs all the memory or ends the
 * process becomes a problem at its file, and no command that hangs, dies, or says that everything is well.
 */
import { spawn } from "node:child_process";
import fs from "node:fs";
import { pathToFileURL } from "node:url";

interface Failed {
  /** Of the file that was loaded last. */
  readonly index: number;
  readonly why: string;
}

const timeoutMs = 10_000;
const maxHeapMb = 512;

/** What throws is no failure here: loading reports it, at its line. */
const code = `
const { load } = await import(process.argv[1]);
for (const [index, one] of load.entries()) {
  process.send(index);
  const before = process.getActiveResourcesInfo().length;
  try { (await one()).spec?.(); } catch {}
  if (process.getActiveResourcesInfo().length > before) process.send("busy");
}
process.send("done");`;

/**
 * @param module the file that exports `load`, a function for each part
 * @returns undefined if all can be loaded
 */
export const tryModule = async (module: string): Promise<Failed | undefined> => {
  const marker = `${module}.tried`;
  if (fs.existsSync(marker)) return undefined;
  const failed = await run(module);
  if (failed === undefined) fs.writeFileSync(marker, "");
  return failed;
};

const run = (module: string): Promise<Failed | undefined> =>
  new Promise((resolve, reject) => {
    const args = [
      `--max-old-space-size=${maxHeapMb}`,
      "--input-type=module",
      "--eval",
      code,
      pathToFileURL(module).href,
    ];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "ignore", "ipc"] });
    let index = 0;
    const end = (why?: string) => {
      clearTimeout(timeout);
      resolve(why === undefined ? undefined : { index, why });
      child.kill("SIGKILL");
    };
    const timeout = setTimeout(() => end(`the file is still loading after ${timeoutMs / 1000} s`), timeoutMs);
    child.on("message", (message) => {
      if (message === "done") end();
      else if (message === "busy")
        end("the file starts a timer or a server when it is loaded, so no command would end");
      else index = Number(message);
    });
    child.on("error", reject);
    child.on("exit", (_, signal) =>
      end(
        signal === "SIGABRT"
          ? `the file needs more than ${maxHeapMb} MB when it is loaded`
          : "the file ends the process when it is loaded",
      ),
    );
  });
