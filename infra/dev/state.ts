/** Runs state by itself, so that the gates in front of it can be replaced: two generations must not share an object's files. */
import fs from "node:fs";
import path from "node:path";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import type { Emitted } from "../compiler/emit.ts";
import { built, deafToSignals } from "./mesh.ts";

export interface States {
  /** Where gates find it. */
  readonly registry: string;
  /** Runs these Workers; nothing happens where they are the same as before. */
  readonly turnTo: (workers: readonly Emitted[]) => Promise<void>;
  readonly dispose: () => Promise<void>;
}

/** @param folder that keeps the counts, also when all has ended */
export const states = (folder: string, log: (line: string) => void): States => {
  const registry = path.join(folder, `registry-${process.pid}`);
  let running: Miniflare | undefined;
  let digests = "";
  const dispose = async () => {
    await running?.dispose();
    running = undefined;
  };
  return {
    registry,
    turnTo: async (workers) => {
      const now = workers.map(({ digest }) => digest).join();
      if (now === digests) return;
      await dispose();
      digests = now;
      if (workers.length === 0) return;
      fs.mkdirSync(registry, { recursive: true });
      running = deafToSignals(
        () =>
          new Miniflare({
            ...convertV4MiniflareOptions({
              cf: false,
              unsafeDevRegistryPath: registry,
              workers: workers.map((it) => built(it)),
              handleStructuredLogs: ({ message }) => log(message),
            }),
            resourcePersistencePath: path.join(folder, "objects"),
          }),
      );
      await running.ready;
    },
    dispose: async () => {
      await dispose();
      fs.rmSync(registry, { recursive: true, force: true });
    },
  };
};
