/** The paths of docs/paths.md, each as a client would send it. */
import { describe, expect, it } from "vitest";
import page from "../../../docs/paths.md?raw";
import { canonicalPath } from "../../../functions/gateway/path.ts";
import { conversation } from "../conversation.ts";

const rows = [...page.matchAll(/^\| `(.+?)` \| (?:`(.+?)`|refused) \|/gm)].map(([, asked = "", matched]) => ({
  asked: asked.replace("\\|", "|"),
  matched,
}));

const keepingRows = [...page.matchAll(/^\| (goes on as|refused) \| `(.+?)` \|/gm)].map(([, answer, asked = ""]) => ({
  asked,
  kept: answer === "goes on as",
}));

const gate = () =>
  conversation(
    {},
    {
      routes: {
        admin: { match: "GET /b", goes: { respond: { status: 418, headers: {}, body: null } } },
        rest: { match: "ANY /{rest*}" },
      },
    },
  );

describe.each(rows)("$asked", ({ asked, matched }) => {
  it(matched === undefined ? "is refused" : `is matched as ${matched}`, () => {
    expect(canonicalPath(new URL(asked, "https://gate.example").pathname)).toBe(matched);
  });

  it("reaches the service as it was matched, or not at all", async () => {
    const { status, code, upstream } = await gate().send(`GET ${asked}`);
    if (matched === undefined) expect([status, code, upstream.length]).toEqual([400, "path-ambiguous", 0]);
    else if (matched === "/b") expect([status, upstream.length]).toEqual([418, 0]);
    else expect(upstream.map(({ url }) => url)).toEqual([`https://service.example${matched}`]);
  });
});

describe.each(keepingRows)("$asked, where a route keeps encoded slashes", ({ asked, kept }) => {
  it(kept ? "goes on as it came" : "is refused", async () => {
    const { send } = conversation(
      {},
      {
        routes: {
          object: { match: "GET /objects/{key}", "encoded-slashes": "keep" },
          other: { match: "GET /other/{key}" },
        },
      },
    );
    const { status, code, upstream } = await send(`GET ${asked}`);
    if (kept) expect(upstream.map(({ url }) => url)).toEqual([`https://service.example${asked}`]);
    else expect([status, code, upstream.length]).toEqual([400, "path-ambiguous", 0]);
  });
});

it("the page has rows", () => {
  expect(keepingRows.length).toBeGreaterThan(10);
  expect(rows.length).toBeGreaterThan(20);
});

it("is idempotent: a canonical path is its own", () => {
  for (const { matched } of rows) if (matched !== undefined) expect(canonicalPath(matched)).toBe(matched);
});
