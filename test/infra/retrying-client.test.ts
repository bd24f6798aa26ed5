/** Commands that follow a rollout or a wave survive a restart of control. */
import { expect, it } from "vitest";
import { NoAnswer } from "../../infra/release/api.ts";
import { ControlError } from "../../infra/release/control-client.ts";
import { giveUpMs, retryingReads } from "../../infra/release/retrying-client.ts";

const refused = new NoAnswer("http://127.0.0.1:8787/v1/wave", new Error("connect ECONNREFUSED 127.0.0.1:8787"));

/** Answers in turn; then "fine" for ever. */
const reader = (...answers: readonly (string | Error)[]) => {
  const left = [...answers];
  const lines: string[] = [];
  let time = 0;
  const delays: number[] = [];
  const call = async (): Promise<never> => {
    const answer = left.length > 0 ? left.shift() : "fine";
    if (answer instanceof Error) throw answer;
    return answer as never;
  };
  const read = retryingReads({ call }, "the rollout", {
    now: () => time,
    sleep: async (ms) => {
      delays.push(ms);
      time += ms;
    },
    report: (line) => void lines.push(line),
  });
  return { read: () => read<string>("/v1/wave"), lines, delays };
};

it.each([
  ["a refused connection", refused],
  ["a reset", new NoAnswer("http://127.0.0.1:8787", new Error("read ECONNRESET"))],
  ["a timeout", new NoAnswer("http://127.0.0.1:8787", new Error("no answer in 30 s"))],
  ["a 503", new ControlError(503, "answered 503")],
  ["a 429", new ControlError(429, "Too many")],
  ["an edge without control", new ControlError(404, "answered 404", true)],
])("%s is tried again, and one line says so", async (_, error) => {
  const { read, lines } = reader("first", error, error, error, "back");
  expect([await read(), await read(), await read()]).toEqual(["first", "back", "fine"]);
  expect(lines).toEqual([`control does not answer (${error.message}); trying again`]);
});

it("each restart has its line, and its own time", async () => {
  const { read, lines } = reader("first", refused, "back", refused, refused, "again");
  for (const expected of ["first", "back", "again"]) expect(await read()).toBe(expected);
  expect(lines).toHaveLength(2);
});

it("waits longer each time, 15 seconds at most, and gives up after ten minutes", async () => {
  const { read, lines, delays } = reader("first", ...Array.from({ length: 1000 }, () => refused));
  await read();
  await expect(read()).rejects.toThrow(
    "control has not answered for 10 minutes (http://127.0.0.1:8787 does not answer (connect ECONNREFUSED 127.0.0.1:8787)); the rollout continues without this command",
  );
  expect(delays.slice(0, 7)).toEqual([500, 1000, 2000, 4000, 8000, 15_000, 15_000]);
  const all = delays.reduce((sum, ms) => sum + ms, 0);
  expect(all).toBeGreaterThanOrEqual(giveUpMs);
  expect(all).toBeLessThan(giveUpMs + 15_000);
  expect(lines).toHaveLength(1);
});

it.each([
  ["the first answer that never came", [refused]],
  ["a refusal", ["first", new ControlError(403, "Insufficient role")]],
  ["an unknown tier", ["first", new ControlError(404, "there is no tier")]],
])("does not repeat %s", async (_, answers) => {
  const { read, lines } = reader(...answers);
  const reads = async () => [await read(), await read()];
  await expect(reads()).rejects.toThrow();
  expect(lines).toEqual([]);
});
