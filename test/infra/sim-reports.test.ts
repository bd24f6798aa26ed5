import { describe, expect, it } from "vitest";
import { calibrationReport, calibrationRows, isUnfair } from "../../infra/sim/calibration.ts";
import { figuresOf } from "../../infra/sim/figures.ts";
import { type Ends, frontierReport, frontiers } from "../../infra/sim/frontier.ts";
import { frontierPicture } from "../../infra/sim/frontier-picture.ts";
import { matrix, matrixReport } from "../../infra/sim/matrix.ts";
import { simulateAll } from "../../infra/sim/simulate.ts";
import { scenarios } from "../../infra/sim/worlds/scenarios.ts";

const ends = { "rolled-back": 0.5, paused: 0.3, promoted: 0.2 };

describe("the matrix", () => {
  it("has a cell for each rate, number of clients, first share and harm", () => {
    expect(matrix.length).toBe(3 * 3 * 2 * 4);
    expect(new Set(matrix.map(({ name }) => name)).size).toBe(matrix.length);
  });

  it("wants harm to be caught where eight independent units are hit in the first step", () => {
    const wantedOf = (name: string) => {
      const cell = matrix.find((it) => it.name === name);
      return [Math.round(cell?.hitUnits ?? 0), cell?.wanted];
    };
    expect(wantedOf("50 requests/s, 1000 clients, first 1%, errors 0.1 % → 1 %")).toEqual([1, "held"]);
    expect(wantedOf("1000 requests/s, 100000 clients, first 10%, errors 0.1 % → 1 %")).toEqual([147, "caught"]);
    expect(wantedOf("1000 requests/s, 1000 clients, first 10%, none")).toEqual([0, "finished"]);
  });

  it("is a table with the units that are hit", () => {
    const [cell] = matrix.filter(({ harm }) => harm === "harmful");
    if (!cell) throw new Error("no cell");
    const result = { end: "paused", took: 60, share: 0.01, exposed: 1, criteria: ["errors"], why: "" } as const;
    const harm = { requests: 1, failed: 0, failedUnderStable: 0 };
    const report = matrixReport([cell], [figuresOf(cell, [{ results: [result], harm, calibrations: [] }])]);
    expect(report.split("\n")[1]).toMatch(/^ *50 +1,000 +1% +errors 0\.1 % → 1 % +1 +held .* errors 100 %$/);
  });
});

describe("a frontier", () => {
  const [frontier] = frontiers;
  if (!frontier) throw new Error("no frontier");
  const all: Ends = new Map(frontier.cells.map(({ name }) => [name, ends]));

  it("is a table of what is caught, held and promoted", () => {
    const [, head, first] = frontierReport(frontier, all).split("\n");
    expect(head).toMatch(/^requests that fail +2 clients +8 clients/);
    expect(first).toMatch(/^1 % +50 \/ 30 \/ 20 +50 \/ 30 \/ 20/);
  });

  it("harms as many of the clients' requests as it says", () => {
    const cell = frontier.cells.find(({ name }) => name === "frontier, errors 100 % of 40 clients' requests");
    expect(cell?.parts.map(({ rate }) => rate)).toEqual([198, 2]);
    expect(cell?.parts.at(-1)).toMatchObject({ of: { clients: 40 }, canary: { errors: 1 } });
  });

  it("is a picture with its text", () => {
    const rows = [{ name: "1 % fail", cells: [ends, undefined] }];
    const svg = frontierPicture({ title: "Errors & more", columns: ["2", "8"], rows, text: "caught <or> held" });
    expect(svg).toContain('<title id="title">Errors &amp; more</title>');
    expect(svg).toContain('<desc id="text">caught &lt;or> held</desc>');
    expect(svg).toContain("prefers-color-scheme: dark");
    const widths = [...svg.matchAll(/<rect class="([a-z-]+)" x="[\d.]+" y="66" width="([\d.]+)"/g)];
    expect(widths.map(([, name, width]) => [name, Number(width)])).toEqual([
      ["rolled-back", 46],
      ["paused", 27.6],
      ["promoted", 18.4],
    ]);
  });
});

describe("calibration", () => {
  it("is the mean wealth of each bet; one that was not placed is one", () => {
    const rows = calibrationRows("calm", [{ a: 3, b: 0.5 }, { a: 1 }]);
    expect(rows.map(({ bet, mean, runs }) => [bet, mean, runs])).toEqual([
      ["a", 2, 2],
      ["b", 0.75, 2],
    ]);
    expect(calibrationReport(rows)).toMatch(/calm +a +2\.000/);
  });

  it("is unfair only beyond chance", () => {
    const row = { world: "calm", bet: "a", runs: 100 };
    expect(isUnfair({ ...row, mean: 1.5, error: 0.1 }, 100)).toBe(true);
    expect(isUnfair({ ...row, mean: 1.5, error: 0.5 }, 100)).toBe(false);
    expect(isUnfair({ ...row, mean: 0.9, error: 0 }, 100)).toBe(false);
  });

  it("finds bets fair where both versions are alike", async () => {
    const world = scenarios.find(({ name }) => name === "no difference, low traffic");
    if (!world) throw new Error("no scenario");
    const [chunks = []] = await simulateAll([{ ...world, bake: "1m" }], { runs: 5, seed: 3, jobs: 1, calibrate: true });
    const rows = calibrationRows(
      world.name,
      chunks.flatMap((it) => it.calibrations),
    );
    expect(rows.length).toBeGreaterThan(10);
    expect(rows.filter((it) => isUnfair(it, rows.length))).toEqual([]);
  });
});
