/** Reports the cost of a cloud: times by median, 99th percentile and maximum, and memory by process. */
import fs from "node:fs";
import { wideTable as table } from "../../terminal/table.ts";

export interface TimesRow {
  readonly name: string;
  readonly count: number;
  readonly median: number;
  readonly p99: number;
  readonly worst: number;
  readonly sum: number;
}

/** Rows with comparable bars. */
export interface TimesGroup {
  readonly unit: "ms";
  readonly rows: readonly TimesRow[];
}

/** Memory in MiB. The proportional size counts shared pages once. All is 0 where the system does not report it. */
export interface Memory {
  readonly machines: number;
  readonly resident: number;
  readonly proportional: number;
  readonly nodeResident: number;
  readonly nodeProportional: number;
}

export const measureMs = async (work: () => Promise<unknown>): Promise<number> => {
  const began = performance.now();
  await work();
  return performance.now() - began;
};

export const timesRow = (name: string, times: readonly number[]): TimesRow => {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  const sum = times.reduce((all, it) => all + it, 0);
  return { name, count: times.length, median: at(0.5), p99: at(0.99), worst: at(1), sum };
};

/** @param machines process ids, without this process */
export const readMemory = (machines: readonly number[], node: number): Memory => {
  const sum = (pids: readonly number[], field: string) => pids.reduce((all, pid) => all + mebibytes(pid, field), 0);
  return {
    machines: machines.length,
    resident: sum(machines, "Rss"),
    proportional: sum(machines, "Pss"),
    nodeResident: sum([node], "Rss"),
    nodeProportional: sum([node], "Pss"),
  };
};

const mebibytes = (pid: number, field: string): number => {
  try {
    const found = new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(fs.readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"));
    return Number(found?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
};

const maxBarWidth = 40;

export const formatReport = (groups: readonly TimesGroup[], memories: Readonly<Record<string, Memory>>): string => {
  const times = groups.map(({ unit, rows }) => {
    const most = Math.max(...rows.map(({ median }) => median));
    return table(
      ["", "times", `median ${unit}`, "p99", "worst", "sum", ""],
      rows.map(({ name, count, median, p99, worst, sum }) => [
        name.padEnd(34),
        count,
        Number(median.toFixed(2)),
        Number(p99.toFixed(2)),
        Number(worst.toFixed(2)),
        Math.round(sum),
        bar(median / most),
      ]),
    );
  });
  const most = Math.max(...Object.values(memories).map(({ resident }) => resident));
  const memory = table(
    ["memory, MiB", "machines", "resident", "proportional", "Node", "its share", "of all machines, proportional"],
    Object.entries(memories).map(([when, it]) => [
      `after all was ${when}`.replace("was fresh", "was started").padEnd(34),
      it.machines,
      Math.round(it.resident),
      Math.round(it.proportional),
      Math.round(it.nodeResident),
      Math.round(it.nodeProportional),
      bar(it.proportional / most),
    ]),
  );
  return [...times, memory].join("\n");
};

const bar = (share: number): string => "#".repeat(Math.max(1, Math.round(share * maxBarWidth)));
