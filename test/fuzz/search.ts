/** Searches for an input that fails a target, and then for the smallest such input. */
import fc from "fast-check";
import type { Opened } from "./target.ts";

export interface Found {
  readonly seed: number;
  /** fast-check's, to the smallest input. */
  readonly path: string;
  readonly input: string;
  readonly why: string;
}

export interface SearchResult {
  readonly inputs: number;
  readonly found: Found | undefined;
}

interface Budget {
  readonly seed: number;
  readonly ms: number;
  /** Leads to an input that was found before. */
  readonly path?: string | undefined;
}

/** Time limit of the search for a smaller input. */
const shrinkMs = 30_000;

/** The budget ends a search; this only keeps an empty target from going on for ever. */
const maxInputs = 50_000_000;

export const search = async ({ property }: Opened, { seed, ms, path }: Budget): Promise<SearchResult> => {
  if (path !== undefined) return { inputs: 1, found: foundIn(await replay(property, seed, path, 0), seed) };
  const run = await fc.check(property, {
    seed,
    numRuns: maxInputs,
    interruptAfterTimeLimit: ms,
    endOnFailure: true,
    skipEqualValues: true,
  });
  if (!run.failed || run.counterexamplePath === null) return { inputs: run.numRuns, found: undefined };
  const smallest = await replay(property, seed, run.counterexamplePath, shrinkMs);
  return { inputs: run.numRuns, found: foundIn(smallest, seed) ?? foundIn(run, seed) };
};

const replay = (property: Opened["property"], seed: number, path: string, ms: number) =>
  fc.check(property, {
    seed,
    path,
    ...(ms > 0 ? { interruptAfterTimeLimit: ms } : { endOnFailure: true, numRuns: 1 }),
  });

const foundIn = (run: fc.RunDetails<unknown>, seed: number): Found | undefined =>
  run.failed && run.counterexamplePath !== null
    ? {
        seed,
        path: run.counterexamplePath,
        input: fc.stringify(run.counterexample),
        why: run.errorInstance instanceof Error ? (run.errorInstance.stack ?? "") : String(run.errorInstance),
      }
    : undefined;
