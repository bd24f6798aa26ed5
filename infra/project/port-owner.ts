/** Names the process that listens on a port of this machine, where the system says so. */
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import { toOneLine } from "../terminal/terminal.ts";

export interface Owner {
  readonly pid: number;
  /** Its command line, shortened. */
  readonly command: string;
}

const maxCommandLength = 100;

/** @returns undefined if nobody listens there, or it is another user's process */
export const ownerOf = (port: number): Owner | undefined => {
  const pid = byProc(port) ?? byLsof(port);
  return pid === undefined ? undefined : { pid, command: commandOf(pid) };
};

/** Inodes of sockets that listen on a port: `0: 0100007F:1F90 00000000:0000 0A 0:0 0:0 0 1000 0 12345 …`. */
export const listenersIn = (table: string, port: number): string[] => {
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  const line = new RegExp(`^\\s*\\d+: [0-9A-F]+:${hex} \\S+ 0A(?: +\\S+){5} +(\\d+)`, "gm");
  return Array.from(table.matchAll(line), ([, inode = ""]) => inode);
};

/** Linux. */
const byProc = (port: number): number | undefined => {
  const inodes = ["/proc/net/tcp", "/proc/net/tcp6"].flatMap((file) => listenersIn(textOf(file), port));
  if (inodes.length === 0) return undefined;
  const wanted = new Set(inodes.map((inode) => `socket:[${inode}]`));
  const pids = namesIn("/proc").filter((name) => /^\d+$/.test(name));
  const found = pids.find((pid) =>
    namesIn(`/proc/${pid}/fd`).some((fd) => wanted.has(linkOf(`/proc/${pid}/fd/${fd}`))),
  );
  return found === undefined ? undefined : Number(found);
};

/** macOS. */
const byLsof = (port: number): number | undefined => {
  try {
    const args = ["-nP", `-iTCP:${port}`, "-sTCP:LISTEN", "-t"];
    const out = execFileSync("lsof", args, { encoding: "utf8", timeout: 2000, stdio: ["ignore", "pipe", "ignore"] });
    return Number(out.split("\n")[0]) || undefined;
  } catch {
    return undefined;
  }
};

/** Empty if the system does not say. */
export const commandOf = (pid: number): string => {
  const text = textOf(`/proc/${pid}/cmdline`).replaceAll("\0", " ").trim();
  return toOneLine(text.length > maxCommandLength ? `${text.slice(0, maxCommandLength)}…` : text);
};

/** Empty if it cannot be read: a process may end meanwhile, or be somebody else's. */
const textOf = (file: string): string => {
  try {
    return fs.readFileSync(file, "utf8");
  } catch {
    return "";
  }
};

const namesIn = (folder: string): string[] => {
  try {
    return fs.readdirSync(folder);
  } catch {
    return [];
  }
};

const linkOf = (file: string): string => {
  try {
    return fs.readlinkSync(file);
  } catch {
    return "";
  }
};
