/** The small helpers that several places share: work in turn, bounded maps, JSON that may be none. */
import { describe, expect, it } from "vitest";
import { oneAtATime } from "../../functions/control/model/one-at-a-time.ts";
import { forgetOldest } from "../../functions/gateway/core/bounded.ts";
import { fieldsOf, parsed } from "../../functions/gateway/core/json.ts";

describe("work in turn", () => {
  it("waits for what came before, and goes on after what threw", async () => {
    const inTurn = oneAtATime();
    const begun: string[] = [];
    let end = () => {};
    const slow = inTurn(async () => {
      begun.push("slow");
      await new Promise<void>((done) => {
        end = done;
      });
      throw new Error("no");
    });
    const fast = inTurn(async () => begun.push("fast"));
    await new Promise((wake) => setTimeout(wake, 5));
    expect(begun).toEqual(["slow"]);
    end();
    await expect(slow).rejects.toThrow("no");
    expect(await fast).toBe(2);
  });
});

describe("a bounded map", () => {
  it("loses its oldest entry beyond the bound, whatever that is", () => {
    const all = new Map<string | undefined, number>([[undefined, 0]]);
    forgetOldest(all.set("a", 1), 2);
    expect([...all.keys()]).toEqual([undefined, "a"]);
    forgetOldest(all.set("b", 2), 2);
    expect([...all.keys()]).toEqual(["a", "b"]);
    const names = new Set(["a", "b", "c"]);
    forgetOldest(names, 2);
    expect([...names]).toEqual(["b", "c"]);
  });
});

describe("JSON that may be none", () => {
  it.each([
    ['{"a":1}', { a: 1 }, { a: 1 }],
    ["[1]", [1], { 0: 1 }],
    ["null", null, {}],
    ["7", 7, {}],
    ["{", undefined, {}],
    ["", undefined, {}],
  ])("%s", (text, value, fields) => {
    expect(parsed(text)).toEqual(value);
    expect(fieldsOf(parsed(text))).toEqual(fields);
  });
});
