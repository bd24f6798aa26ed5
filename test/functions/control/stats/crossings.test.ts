/** Clusters that reach a number of hits: each counts once for each level, with its part at that moment. */
import { expect, it } from "vitest";
import { CrossingCounter } from "../../../../functions/control/stats/crossings.ts";

const levelsOf = ({ crossings }: CrossingCounter) =>
  crossings.map(({ anonymous }) => [anonymous.canary, anonymous.all]);

it("a cluster is counted at each level once, however many hits it has", () => {
  const counter = new CrossingCounter();
  counter.add(7, 1, 4);
  counter.add(7, 5, 6);
  counter.add(7, 500, 990);
  counter.add(7, 0, 1_000_000);
  expect(levelsOf(counter)).toEqual([
    [1 / 4, 1],
    [6 / 10, 1],
    [506 / 1000, 1],
  ]);
  counter.add(8, 300, 300);
  counter.add(8, 0, 300);
  expect(levelsOf(counter)).toEqual([
    [1 + 1 / 4, 2],
    [1 + 6 / 10, 2],
    [1 + 506 / 1000, 2],
  ]);
  counter.clear();
  counter.add(7, 0, 1);
  expect(levelsOf(counter)).toEqual([
    [0, 1],
    [0, 0],
    [0, 0],
  ]);
});
