/**
 * Breaks a gate's instructions down: by the duties that are added to a passthrough one at a time, and by kind of work.
 */
import { wideTable as table } from "../../terminal/table.ts";
import { type InstructionsRow, toRows } from "../report/report.ts";
import { type Kind, kinds } from "../runtime/symbols.ts";
import { bundleWorker } from "../runtime/workerd.ts";
import { passesThrough } from "../subjects/probes.ts";
import { type Subject, subjectsFor } from "../subjects/subjects.ts";
import { duties } from "../workers/duties.ts";
import type { Caller } from "../workers/jobs.ts";
import { type Effort, measureAll } from "./measure.ts";

export interface Breakdown {
  /** A passthrough by hand, with one duty more each time. */
  readonly ladder: readonly Step[];
  readonly floors: readonly Floor[];
  readonly work: readonly Work[];
}

interface Step {
  readonly what: string;
  readonly instructions: number;
  /** Ratio to the passthrough, with all duties above it. */
  readonly ratio: number;
}

/** The lowest cost that this runtime allows for an aim, and the gate's own. */
interface Floor {
  readonly aim: string;
  /** Name of the subject. */
  readonly of: string;
  readonly most: number;
  readonly floor: number;
  readonly measured: number;
}

interface Work {
  readonly kind: Kind;
  /** Instructions of a request, by subject in the order of `profiled`. */
  readonly each: readonly number[];
}

const profiled = ["passthrough", "gate, no filters", "gate, five filters", "front + gate, five filters"] as const;
const fiveFilters = duties[7];
const newToken = "gate, five filters, new token each time";
const byHandBehindFront = "by hand, front and five filters";

export const measureBreakdown = async (caller: Caller, effort: Effort): Promise<Breakdown> => {
  const names: readonly string[] = [...profiled, newToken];
  const known = subjectsFor(caller).filter(({ name }) => names.includes(name));
  const byHand = duties.map((name, index): Subject => subjectWithDuties(name, index + 1, caller));
  const measured = await measureAll([...known, ...byHand, frontByHand(caller)], caller, { ...effort, byKind: true });
  const rows = toRows(measured);
  const row = (name: string): InstructionsRow => {
    const found = rows.find((it) => it.name === name);
    if (!found) throw new Error(`nothing measured "${name}"`);
    return found;
  };
  // The cheapest round counts: one large garbage collection costs more than a duty.
  const cheapestRatio = (name: string): number => row(name).least / row("passthrough").least;
  const ladder = ["passthrough", ...duties].map((what, index, all): Step => {
    const before = index === 0 ? 0 : row(all[index - 1] as string).least;
    return { what, ratio: cheapestRatio(what), instructions: row(what).least - before };
  });
  const floor = (aim: string, most: number, by: string, name: string): Floor => ({
    aim,
    of: name,
    most,
    floor: cheapestRatio(by),
    measured: row(name).ratio,
  });
  return {
    ladder,
    floors: [
      floor("no filters", 1.1, duties[6], "gate, no filters"),
      floor("five filters, a token that is known", 1.3, fiveFilters, "gate, five filters"),
      floor("five filters, a new token each time", 2.1, duties[8], newToken),
      floor("front + gate, five filters", 1.9, byHandBehindFront, "front + gate, five filters"),
    ],
    work: kinds.map((kind) => ({
      kind,
      each: profiled.map((name) => measured.find((it) => it.name === name)?.kinds.get(kind) ?? 0),
    })),
  };
};

const subjectWithDuties = (name: string, count: number, { jobs }: Caller): Subject => ({
  name,
  workers: async ({ upstream }) => [await bundleWorker(entryOf(count, upstream, jobs))],
  probes: [passesThrough],
});

const entryOf = (count: number, upstream: string, { key }: Caller["jobs"]): string =>
  `import { workerWithDuties } from "./duties.ts";
export default workerWithDuties(${count}, ${JSON.stringify(upstream)}, ${JSON.stringify(key)});`;

const frontByHand = ({ jobs }: Caller): Subject => ({
  name: byHandBehindFront,
  workers: async ({ upstream }) => [
    {
      ...(await bundleWorker(`export { front as default } from "./duties.ts";`)),
      services: { NEXT: { service: "next" } },
    },
    { ...(await bundleWorker(entryOf(duties.indexOf(fiveFilters) + 1, upstream, jobs))), name: "next" },
  ],
  probes: [passesThrough],
});

const count = (value: number): string => Math.round(value).toLocaleString("en");

const ladderRows = ({ ladder }: Breakdown): string[][] =>
  ladder.map(({ what, instructions, ratio }, index) => [
    what,
    `${index > 0 && instructions > 0 ? "+" : ""}${count(instructions)}`,
    ratio.toFixed(2),
  ]);

const floorRows = ({ floors }: Breakdown): string[][] =>
  floors.map(({ aim, most, floor, measured }) => [aim, most.toFixed(2), floor.toFixed(2), measured.toFixed(2)]);

const workRows = ({ work }: Breakdown): string[][] => work.map(({ kind, each }) => [kind, ...each.map(count)]);

const heads = {
  ladder: ["what is done for a request", "instructions", "ratio"],
  floor: ["aim", "at most", "by hand", "measured"],
  work: ["kind of work", ...profiled],
};

/** For a terminal. */
export const formatBreakdown = (breakdown: Breakdown): string =>
  [
    table(heads.ladder, ladderRows(breakdown)),
    table(heads.floor, floorRows(breakdown)),
    table(heads.work, workRows(breakdown)),
  ].join("\n\n");

/** The section of the page, with its heading. */
export const breakdownSection = (
  breakdown: Breakdown,
  day: string,
  markdown: (head: readonly string[], rows: readonly (readonly string[])[]) => string,
): string => `## Where a gate's instructions go

Made on ${day} by \`npm run bench -- --where --write\`. A Worker by hand does what a gate owes to every request, one thing more each time and nothing besides:
no routes, no plan, no filters. Of each the cheapest round counts, so that no garbage of chance hides what a duty costs.

${markdown(heads.ladder, ladderRows(breakdown))}

So an aim has a floor on this runtime: a Worker that does the same duties with what the runtime offers, and does nothing else.
Where the floor lies above the aim, no gate that does these duties reaches it.

${markdown(heads.floor, floorRows(breakdown))}

By kind of work, from the functions that callgrind names, in instructions a request:

${markdown(heads.work, workRows(breakdown))}
`;
