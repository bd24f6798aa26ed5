/** The frontier: how large harm must be, and how many clients it must hit, to be caught, held, or missed. */
import fs from "node:fs";
import path from "node:path";
import { wideTable as table } from "../terminal/table.ts";
import type { Figures } from "./figures.ts";
import { frontierPicture } from "./frontier-picture.ts";
import { percent } from "./report.ts";
import type { World } from "./worlds/world.ts";

export interface Frontier {
  readonly id: string;
  readonly title: string;
  /** Shares of the harmed clients' requests that fail because of the new version. */
  readonly sizes: readonly number[];
  readonly harmed: readonly number[];
  /** By size, then by the number of harmed clients. */
  readonly cells: readonly World[];
}

export type Ends = ReadonlyMap<string, Figures["ends"] | undefined>;

const [rate, clients] = [200, 4000];
const sizes = [0.01, 0.03, 0.1, 0.3, 1] as const;
const harmed = [2, 8, 40, 200, 1000, 4000] as const;
const steps = ["0%", "10%", "50%", "100%"] as const;

const frontierOf = (id: "errors" | "refusals", title: string): Frontier => ({
  ...{ id, title, sizes, harmed },
  cells: sizes.flatMap((size) =>
    harmed.map((count): World => {
      const part = count / clients;
      const canary = id === "errors" ? { errors: 0.001 + 0.999 * size } : { refusals: 0.02 + 0.98 * size };
      return {
        ...{ steps, about: "", harm: "harmful", wanted: "open" },
        name: `frontier, ${id} ${percent(size)} of ${count} clients' requests`,
        clients: { clients: Math.max(1, clients - count) },
        parts: [
          ...(count < clients ? [{ rate: rate * (1 - part) }] : []),
          { of: { clients: count }, rate: rate * part, canary },
        ],
      };
    }),
  ),
});

const setting = `${clients.toLocaleString("en")} clients, ${rate} requests/s, steps ${steps.slice(1, -1).join(" and ").replaceAll("%", " %")}`;

export const frontiers: readonly Frontier[] = [
  frontierOf("errors", `Errors of some clients (${setting})`),
  frontierOf("refusals", `Refusals of some clients (${setting})`),
];

const endsOf = (it: Frontier, all: Ends, size: number, column: number): Figures["ends"] | undefined =>
  all.get(it.cells[size * it.harmed.length + column]?.name ?? "");

/** A cell is caught, held and promoted, in per cent. */
export const frontierReport = (it: Frontier, all: Ends): string =>
  [
    `${it.title}: caught / held / promoted, in per cent`,
    table(
      ["requests that fail", ...it.harmed.map((count) => `${count.toLocaleString("en")} clients`)],
      it.sizes.map((size, row) => [
        percent(size),
        ...it.harmed.map((_, column) => cellText(endsOf(it, all, row, column))),
      ]),
    ),
  ].join("\n");

const cellText = (ends: Figures["ends"] | undefined): string =>
  ends ? [ends["rolled-back"], ends.paused, ends.promoted].map((part) => Math.round(100 * part)).join(" / ") : "-";

const folder = path.join(import.meta.dirname, "../../docs/pictures");

/** @returns the files; a frontier that was not simulated as a whole is not drawn */
export const writeFrontiers = (all: readonly Frontier[], ends: Ends): string[] =>
  all.flatMap((it) => {
    if (!it.cells.every(({ name }) => ends.has(name))) return [];
    const file = path.join(folder, `rollout-frontier-${it.id}.svg`);
    fs.mkdirSync(folder, { recursive: true });
    const rows = it.sizes.map((size, row) => ({
      name: `${percent(size)} fail`,
      cells: it.harmed.map((_, column) => endsOf(it, ends, row, column)),
    }));
    const columns = it.harmed.map((count) => `${count.toLocaleString("en")}`);
    fs.writeFileSync(file, frontierPicture({ title: it.title, columns, rows, text: frontierReport(it, ends) }));
    return [path.relative(process.cwd(), file)];
  });
