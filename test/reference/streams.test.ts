/**
 * Control's statistics agree with those of an independent implementation (evidence.py) on one recorded stream of each situation.
 * `npm run test:reference` compares a thousand, and with `--record` writes these anew.
 */
import fs from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import { replay, type Stream } from "./replay.ts";

const streams = fs
  .readFileSync(path.join(import.meta.dirname, "streams.jsonl"), "utf8")
  .trimEnd()
  .split("\n")
  .map((line) => JSON.parse(line) as Stream);

it.each(streams.map((it) => [it.situation, it] as const))("%s", (_, stream) => {
  const { numbers, differences } = replay(stream);
  expect(differences).toEqual([]);
  expect(numbers).toBeGreaterThan(50);
});

it("a log-wealth that is off by two millionths is a difference", () => {
  // Of wealths beyond a million, doubles hold no millionths.
  const small = streams.filter(({ situation }) => situation !== "huge counts");
  const wrong = small.map((stream) => {
    const bets = stream.expected.bets.map((rows) =>
      rows.map((row) => row.map((it, index) => (index === 6 && typeof it === "number" ? it + 2e-6 : it))),
    );
    return { bets: bets.flat().length, ...replay({ ...stream, expected: { ...stream.expected, bets } }) };
  });
  for (const { bets, differences } of wrong) expect(differences).toHaveLength(bets);
  expect(wrong.reduce((sum, { bets }) => sum + bets, 0)).toBeGreaterThan(200);
});
