/** The matrix: requests/s by active clients, first share and harm. Its cells are fixed, whatever their results are. */
import { wideTable as table } from "../terminal/table.ts";
import type { Figures } from "./figures.ts";
import { criteriaText, percent, time } from "./report.ts";
import { release } from "./rollout.ts";
import { type Behaviour, usual } from "./traffic/behaviour.ts";
import { distances } from "./traffic/clients.ts";
import { addPast, exceedingOf, noPast, shapeOf, thresholdsOf } from "./traffic/latency.ts";
import type { World } from "./worlds/world.ts";

const rates = [50, 200, 1000] as const;
const clientCounts = [1000, 10_000, 100_000] as const;
const firstShares = {
  "1%": release.steps,
  "10%": ["0%", "10%", "50%", "100%"],
} as const;

export interface Cell extends World {
  readonly harmful: string;
  readonly firstShare: string;
  /** Independent units of the canary that the harm hits in the first step, beyond those that stable would. */
  readonly hitUnits: number;
}

const harms: Readonly<Record<string, Partial<Behaviour>>> = {
  none: {},
  "errors 0.1 % → 1 %": { errors: 0.01 },
  "p99 +30 %": { slower: 1.3 },
  "refusals 2 % → 5 %": { refusals: 0.05 },
};

/** Where at least so many are hit, the harm is to be caught. */
const unitsToCatch = 8;
const bakeSeconds = 300;
/** Authenticated clients with a key, and requests without one: a rollback rests on these. */
const [trustedClients, dealtRequests] = [0.45, 0.1];

/** Clients are hit once, however often; requests that are dealt are units of their own. */
const hitUnitsOf = (canary: Partial<Behaviour>, rate: number, clients: number, share: number): number => {
  const added = addedBy({ ...usual, ...canary });
  const requests = rate * share * bakeSeconds;
  const perClient = ((1 - dealtRequests) * rate * bakeSeconds * added) / (0.9 * clients);
  return trustedClients * share * clients * (1 - Math.exp(-perClient)) + dealtRequests * requests * added;
};

/** Share of the requests that are worse than under stable. */
const addedBy = ({ errors, refusals, slower }: Behaviour): number => {
  const past = noPast();
  const even = new Float64Array(distances).fill(1000);
  addPast(past, shapeOf(1), even, 0);
  const exceeding = exceedingOf(shapeOf(slower), thresholdsOf(past) ?? [], 0);
  const slow = exceeding.reduce((sum, it, index) => sum + (index % 4 === 0 ? it / distances : 0), 0) - 0.01;
  return errors - usual.errors + (refusals - usual.refusals) + (slower > 1 ? Math.max(0, slow) : 0);
};

export const matrix: readonly Cell[] = rates.flatMap((rate) =>
  clientCounts.flatMap((clients) =>
    Object.entries(firstShares).flatMap(([firstShare, steps]) =>
      Object.entries(harms).map(([harmful, canary]): Cell => {
        const hitUnits = hitUnitsOf(canary, rate, clients, Number.parseFloat(firstShare) / 100);
        const isHarmful = harmful !== "none";
        return {
          ...{ harmful, firstShare, hitUnits, steps },
          name: `${rate} requests/s, ${clients} clients, first ${firstShare}, ${harmful}`,
          about: "",
          harm: isHarmful ? "harmful" : "harmless",
          wanted: isHarmful
            ? hitUnits >= unitsToCatch
              ? "caught"
              : "held"
            : firstShare === "10%"
              ? "finished"
              : "kept",
          ...(!isHarmful && firstShare === "10%" && { withinMinutes: rate < 200 ? 120 : 60 }),
          clients: { clients },
          parts: [{ rate, canary }],
        };
      }),
    ),
  ),
);

export const matrixReport = (cells: readonly Cell[], all: readonly Figures[]): string =>
  table(
    [
      "req/s",
      "clients",
      "first",
      "the new version",
      "hit units",
      "wanted",
      "rolled back",
      "promoted",
      "paused",
      "ended after",
      "95 % within",
      "by",
      "",
    ],
    cells.flatMap((cell, index) => {
      const it = all[index];
      return it
        ? [
            [
              ...[it.rate, it.clients.toLocaleString("en"), cell.firstShare, cell.harmful],
              ...[cell.harm === "harmful" ? Math.round(cell.hitUnits) : "-", cell.wanted],
              ...[percent(it.ends["rolled-back"]), percent(it.ends.promoted), percent(it.ends.paused)],
              ...[time(it.medianSeconds), time(it.mostSeconds), criteriaText(it)],
              it.missed.length > 0 ? "missed" : "",
            ],
          ]
        : [];
    }),
  );
