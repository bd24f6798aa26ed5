/** Follows edits beneath folders. Directories are watched, not files: an editor that saves by renaming replaces the file. */
import fs from "node:fs";
import path from "node:path";

/** More directories than a project has; beyond them, edits go unnoticed rather than the machine's watches run out. */
const mostDirectories = 1000;

/** @param changed after a burst of edits; a call waits for the one before */
export const watch = (folders: readonly string[], changed: () => Promise<unknown>) => {
  const watchers = new Map<string, fs.FSWatcher>();
  let timer: NodeJS.Timeout | undefined;
  let turn: Promise<unknown> = Promise.resolve();
  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      renew();
      turn = turn.then(changed);
    }, 30);
  };
  const renew = () => {
    const there = folders.flatMap(directories).slice(0, mostDirectories);
    for (const [folder, watcher] of watchers)
      if (!there.includes(folder)) {
        watcher.close();
        watchers.delete(folder);
      }
    for (const folder of there) if (!watchers.has(folder)) begin(folder);
  };
  const begin = (folder: string) => {
    try {
      const watcher = fs.watch(folder, soon);
      // A directory that goes takes its watcher along.
      watcher.on("error", soon);
      watchers.set(folder, watcher);
    } catch {
      // It has gone between the listing and here.
    }
  };
  renew();
  return {
    stop: async () => {
      clearTimeout(timer);
      for (const watcher of watchers.values()) watcher.close();
      await turn;
    },
  };
};

const directories = (folder: string): string[] => {
  if (!fs.existsSync(folder)) return [];
  const beneath = fs.readdirSync(folder, { withFileTypes: true }).filter((it) => it.isDirectory());
  return [folder, ...beneath.flatMap(({ name }) => directories(path.join(folder, name)))];
};
