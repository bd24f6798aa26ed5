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

/** Level by level, so that of a tree without end the folders of the project come first. */
const directories = (folder: string): string[] => {
  const found = fs.existsSync(folder) ? [folder] : [];
  for (let index = 0; index < found.length && found.length < mostDirectories; index++) {
    const at = found[index] as string;
    found.push(...foldersIn(at).map((name) => path.join(at, name)));
  }
  return found;
};

const foldersIn = (folder: string): string[] => {
  try {
    const entries = fs.readdirSync(folder, { withFileTypes: true });
    return entries.filter((it) => it.isDirectory()).map(({ name }) => name);
  } catch {
    // It has gone, or nobody here may look into it.
    return [];
  }
};
