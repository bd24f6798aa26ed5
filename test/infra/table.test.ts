/** Tables at several widths: nothing of a cell is lost, and no line is longer than the terminal where its words fit. */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { table, wideTable } from "../../infra/terminal/table.ts";

const head = ["route", "method", "when", "url", "filters"];
const rows = [
  ["wallet/balance", "GET", "-", "http://localhost:8787/wallet/v1/accounts/{id:[0-9]+}/balance", "cors jwt headers"],
  [
    "wallet/transfer",
    "POST",
    "-",
    "http://localhost:8787/wallet/v1/transfers",
    "cors body-limit jwt headers body-limit",
  ],
];

describe("a table", () => {
  it("is unchanged if it fits", () => {
    expect(
      table(
        ["worker", "ms"],
        [
          ["gate-open", 7],
          ["state", 1200],
        ],
        80,
      ),
    ).toBe("worker     ms\ngate-open     7\nstate      1200\n".replace("worker     ms", "worker     ms"));
  });

  it("that does not fit wraps cells between words, and leaves out a column that says nothing", () => {
    expect(
      table(["route", "when", "filters"], [["open/rates", "-", "cors body-limit fair-share rate-limit"]], 32),
    ).toBe("route       filters\nopen/rates  cors body-limit\n            fair-share\n            rate-limit\n");
  });

  it("whose words do not fit has the widest column below each row", () => {
    expect(table(head, rows, 80)).toBe(
      [
        "route            method  filters",
        "wallet/balance   GET     cors jwt headers",
        "    url: http://localhost:8787/wallet/v1/accounts/{id:[0-9]+}/balance",
        "wallet/transfer  POST    cors body-limit jwt headers body-limit",
        "    url: http://localhost:8787/wallet/v1/transfers",
        "",
      ].join("\n"),
    );
  });

  it("has below what few rows fill, before what all fill", () => {
    const some = [
      ["cors", "passed", "", "routes/presets/mobile.yaml:15"],
      ["jwt", "refused", "Token required", "routes/wallet.yaml:13"],
    ];
    expect(table(["filter", "verdict", "why", "manifest"], some, 50)).toBe(
      [
        "filter  verdict  manifest",
        "cors    passed   routes/presets/mobile.yaml:15",
        "jwt     refused  routes/wallet.yaml:13",
        "    why: Token required",
        "",
      ].join("\n"),
    );
  });

  it("keeps a time on one line, and a number with its unit", () => {
    const some = [["it", "since 2026-11-30 14:28:19 at 50 % of all"]];
    expect(table(["a", "b"], some, 24)).toBe("a   b\nit  since\n    2026-11-30 14:28:19\n    at 50 % of all\n");
  });

  it("of a document has no width", () => {
    expect(wideTable(head, rows).split("\n")).toHaveLength(4);
    expect(
      Math.max(
        ...wideTable(head, rows)
          .split("\n")
          .map(({ length }) => length),
      ),
    ).toBeGreaterThan(120);
  });

  it("loses no word at any width, and is no wider than its widest word asks for", () => {
    const word = fc.stringMatching(/^[a-z0-9/:.-]{1,30}$/).filter((it) => it !== "-");
    const cell = fc.array(word, { maxLength: 6 }).map((words) => words.join(" "));
    const given = fc.array(fc.tuple(word, cell, cell, cell), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(given, fc.integer({ min: 20, max: 160 }), (some, width) => {
        const lines = table(["a", "b", "c", "d"], some, width).trimEnd().split("\n");
        const wanted = some
          .flat()
          .flatMap((it) => it.split(" "))
          .filter(Boolean);
        const shown = lines.join(" ").split(/\s+/);
        for (const it of wanted) expect(shown).toContain(it);
        const longest = Math.max(...wanted.map(({ length }) => length));
        for (const line of lines) expect(line.length).toBeLessThanOrEqual(Math.max(width, longest + "    a: ".length));
      }),
    );
  });
});
