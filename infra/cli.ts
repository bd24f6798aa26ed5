#!/usr/bin/env node
/** The process of a command: its streams and its exit code. What it does is `run`. */
import { enableCompileCache } from "node:module";

// What a command loads is compiled once, not at each call. It comes before the imports that profit by it.
enableCompileCache();
const { run } = await import("./run.ts");

// Who has read enough, such as `head`, closes the pipe: nothing is wrong then, and the exit code stays the command's.
for (const stream of [process.stdout, process.stderr])
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });

process.exitCode = await run(process.argv.slice(2), process);
