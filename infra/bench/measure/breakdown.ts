/** Where a gate's instructions go: what each duty costs that is added to a passthrough, and what kind of work it all is. */
import { wideTable as table } from "../../terminal/table.ts";
import { type Row, rowsOf } from "../report/report.ts";
import { type Kind, kinds } from "../runtime/symbols.ts";
import { bundled } from "../runtime/workerd.ts";
import { passes } from "../subjects/probes.ts";
import { type Subject, subjectsFor } from "../subjects/subjects.ts";
import { duties } from "../workers/duties.ts";
import type { Caller } from "../workers/jobs.ts";
import { type Effort, measureAll } from "./measure.ts";

export interface Where {
  /** A passthrough and then one duty more each time, by hand. */
  readonly ladder: readonly Step[];
  readonly floors: readonly Floor[];
  readonly work: readonly Work[];
}

interface Step {
  readonly what: string;
  readonly instructions: number;
  /** To the passthrough, with all above it. */
  readonly ratio: number;
}

/** The least that an aim can come to on this runtime, and what the gate comes to. */
interface Floor {
  readonly aim: string;
  /** The subject. */
  readonly of: string;
  readonly most: number;
  readonly floor: number;
  readonly measured: number;
}

interface Work {
  readonly kind: Kind;
  /** Instructions a request, by subject as in `profiled`. */
  readonly each: readonly number[];
}

const profiled = ["passthrough", "gate, no filters", "gate, five filters", "front + gate, five filters"] as const;
const fiveFilters = duties[7];
const newToken = "gate, five filters, new token each time";
const byHandBehindFront = "by hand, front and five filters";

export const whereOf = async (caller: Caller, effort: Effort): Promise<Where> => {
  const names: readonly string[] = [...profiled, newToken];
  const known = subjectsFor(caller).filter(({ name }) => names.includes(name));
  const byHand = duties.map((name, index): Subject => dutiful(name, index + 1, caller));
  const measured = await measureAll([...known, ...byHand, frontByHand(caller)], caller, { ...effort, byKind: true });
  const rows = rowsOf(measured);
  const row = (name: string): Row => {
    const found = rows.find((it) => it.name === name);
    if (!found) throw new Error(`nothing measured "${name}"`);
    return found;
  };
  // A great collection of garbage falls into one round and not into the next, which is more than a duty costs.
  const leastTo = (name: string): number => row(name).least / row("passthrough").least;
  const ladder = ["passthrough", ...duties].map((what, index, all): Step => {
    const before = index === 0 ? 0 : row(all[index - 1] as string).least;
    return { what, ratio: leastTo(what), instructions: row(what).least - before };
  });
  const floor = (aim: string, most: number, by: string, name: string): Floor => ({
    aim,
    of: name,
    most,
    floor: leastTo(by),
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

const dutiful = (name: string, count: number, { jobs }: Caller): Subject => ({
  name,
  workers: async ({ upstream }) => [await bundled(entryOf(count, upstream, jobs))],
  probes: [passes],
});

const entryOf = (count: number, upstream: string, { key }: Caller["jobs"]): string =>
  `import { dutiful } from "./duties.ts";
export default dutiful(${count}, ${JSON.stringify(upstream)}, ${JSON.stringify(key)});`;

const frontByHand = ({ jobs }: Caller): Subject => ({
  name: byHandBehindFront,
  workers: async ({ upstream }) => [
    {
      ...(await bundled(`export { front as default } from "./duties.ts";`)),
      services: { NEXT: { service: "next" } },
    },
    { ...(await bundled(entryOf(duties.indexOf(fiveFilters) + 1, upstream, jobs))), name: "next" },
  ],
  probes: [passes],
});

const count = (value: number): string => Math.round(value).toLocaleString("en");

const ladderRows = ({ ladder }: Where): string[][] =>
  ladder.map(({ what, instructions, ratio }, index) => [
    what,
    `${index > 0 && instructions > 0 ? "+" : ""}${count(instructions)}`,
    ratio.toFixed(2),
  ]);

const floorRows = ({ floors }: Where): string[][] =>
  floors.map(({ aim, most, floor, measured }) => [aim, most.toFixed(2), floor.toFixed(2), measured.toFixed(2)]);

const workRows = ({ work }: Where): string[][] => work.map(({ kind, each }) => [kind, ...each.map(count)]);

const heads = {
  ladder: ["what is done for a request", "instructions", "ratio"],
  floor: ["aim", "at most", "by hand", "measured"],
  work: ["kind of work", ...profiled],
};

/** For a terminal. */
export const shownWhere = (where: Where): string =>
  [
    table(heads.ladder, ladderRows(where)),
    table(heads.floor, floorRows(where)),
    table(heads.work, workRows(where)),
  ].join("\n\n");

/** For the page: the section with its heading. */
export const whereSection = (
  where: Where,
  day: string,
  markdown: (head: readonly string[], rows: readonly (readonly string[])[]) => string,
): string => `## Where a gate's instructions go

Made on ${day} by \`npm run bench -- --where --write\`. A Worker by hand does what a gate owes to every request, one thing more each time and nothing besides:
no routes, no plan, no filters. Of each the cheapest round counts, so that no garbage of chance hides what a duty costs.

${markdown(heads.ladder, ladderRows(where))}

So an aim has a floor on this runtime: a Worker that does the same duties with what the runtime offers, and does nothing else.
Where the floor lies above the aim, no gate that does these duties reaches it.

${markdown(heads.floor, floorRows(where))}

By kind of work, from the functions that callgrind names, in instructions a request:

${markdown(heads.work, workRows(where))}
`;
