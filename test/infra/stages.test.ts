/** What a command that takes a while says meanwhile: in a pipe, in a terminal, and to nobody. */
import { expect, it } from "vitest";
import { firstOf, openStages } from "../../infra/terminal/stages.ts";
import { onTerminal } from "../../infra/terminal/terminal.ts";

/** What is written to stderr by stages whose clock the test sets. */
const written = (terminal: { readonly columns: number } | undefined, work: () => void) => {
  let text = "";
  const sink = (write: (part: string) => void) => ({ write, ...(terminal && { isTTY: true, ...terminal }) });
  const stderr = sink((part) => {
    text += part;
  });
  onTerminal({ stdout: sink(() => {}), stderr }, work);
  return text;
};

const rendered = (terminal?: { readonly columns: number }) =>
  written(terminal, () => {
    let now = 0;
    const stages = openStages({ now: () => now });
    stages.begin("compile");
    now = 1500;
    stages.begin("upload 3 Workers");
    stages.step("1 of 3  a");
    now = 4000;
    stages.step("2 of 3  b");
    now = 4100;
    stages.step("3 of 3  c");
    stages.say("a line of a service");
    stages.end();
  });

it("a pipe has a line for each stage, and of steps one at most every two seconds", () => {
  expect(rendered()).toBe("  0.0 s  compile\n  1.5 s  upload 3 Workers\n  4.0 s  2 of 3  b\na line of a service\n");
});

it("a terminal shows steps in place, no longer than its line, and removes them", () => {
  expect(rendered({ columns: 16 })).toBe(
    [
      "  0.0 s  compile\n  1.5 s  upload 3 Workers\n",
      "\r  1.5 s  1 of 3\u001b[K\r  4.0 s  2 of 3\u001b[K\r  4.1 s  3 of 3\u001b[K",
      "\r\u001b[Ka line of a service\n",
    ].join(""),
  );
});

it("a script's command says nothing but what comes from elsewhere", () => {
  const text = written(undefined, () => {
    const stages = openStages({ quiet: true });
    stages.begin("compile");
    stages.say("a line of a service");
  });
  expect(text).toBe("a line of a service\n");
});

it("prints nothing outside of a command line", () => {
  const { write } = process.stderr;
  let said = 0;
  process.stderr.write = () => {
    said++;
    return true;
  };
  try {
    const stages = openStages();
    stages.begin("compile");
    stages.step("1 of 3");
    stages.end();
  } finally {
    process.stderr.write = write;
  }
  expect(said).toBe(0);
});

it("of many names the first three are shown", () => {
  expect(firstOf(["a", "b", "c", "d"])).toBe("a, b, c, d");
  expect(firstOf(["a", "b", "c", "d", "e"])).toBe("a, b, c and 2 more");
});
