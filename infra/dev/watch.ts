/** Watches folders for edits. It watches directories, not files: an editor that saves by renaming replaces the file. */
import fs from "node:fs";
import path from "node:path";

/** Bound of watched directories. Beyond it edits go unnoticed. */
const maxDirectories = 1000;

/** @param onChange called after a burst of edits, one call at a time */
export const watch = (folders: readonly string[], onChange: () => Promise<unknown>) => {
  const watchers = new Map<string, fs.FSWatcher>();
  let timer: NodeJS.Timeout | undefined;
  let turn: Promise<unknown> = Promise.resolve();
  const scheduleChange = () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      updateWatchers();
      turn = turn.then(onChange);
    }, 30);
  };
  const updateWatchers = () => {
    const present = folders.flatMap(directories).slice(0, maxDirectories);
    for (const [folder, watcher] of watchers)
      if (!present.includes(folder)) {
        watcher.close();
        watchers.delete(folder);
      }
    for (const folder of present) if (!watchers.has(folder)) watchFolder(folder);
  };
  const watchFolder = (folder: string) => {
    try {
      const watcher = fs.watch(folder, scheduleChange);
      // The watcher ends with its directory.
      watcher.on("error", scheduleChange);
      watchers.set(folder, watcher);
    } catch {
      // The directory was removed after it was listed.
    }
  };
  updateWatchers();
  return {
    stop: async () => {
      clearTimeout(timer);
      for (const watcher of watchers.values()) watcher.close();
      await turn;
    },
  };
};

/** Level by level, so that of an endless tree the project's own folders come first. */
const directories = (folder: string): string[] => {
  const found = fs.existsSync(folder) ? [folder] : [];
  for (let index = 0; index < found.length && found.length < maxDirectories; index++) {
    const at = found[index] as string;
    found.push(...subfolders(at).map((name) => path.join(at, name)));
  }
  return found;
};

const subfolders = (folder: string): string[] => {
  try {
    const entries = fs.readdirSync(folder, { withFileTypes: true });
    return entries.filter((it) => it.isDirectory()).map(({ name }) => name);
  } catch {
    // The folder was removed, or is unreadable.
    return [];
  }
};
