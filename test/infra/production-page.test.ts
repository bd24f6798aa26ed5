/** What the page about production says of prices, keys and Workers is complete and adds up. */
import fs from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { compile } from "../../infra/compiler/compile.ts";
import { emit } from "../../infra/compiler/emit/emit.ts";
import { listFilesWithin } from "../../infra/project/files.ts";
import { codeRoot } from "../../infra/project/generated-files.ts";

const page = fs.readFileSync(path.join(codeRoot, "docs/production.md"), "utf8");
const sectionOf = (heading: string): string => page.split(/^## /m).find((it) => it.startsWith(`${heading}\n`)) ?? "";

describe("the table of costs", () => {
  /** Dollars for what goes beyond the amount that the plan includes, at a price for one. */
  const beyond = (amount: number, included: number, price: number): number => Math.max(0, amount - included) * price;

  /** Measured in workerd: rows that control's telemetry writes for a request, where reports have so many requests. */
  const rowsPerRequest: Readonly<Record<number, number>> = { 1: 18.6, 1.7: 13.1, 10: 4.35 };
  const eventKB = 1.5;

  /** @param millions of requests a month @param inReport requests in a report */
  const costs = (millions: number, inReport: number, control: boolean): number[] => {
    const gigabytes = millions * (3 + (control ? 13 / inReport : 0)) * eventKB;
    const parts = [
      5,
      beyond(millions, 10, 0.3),
      beyond(millions * (control ? 1.5 : 1), 30, 0.02),
      control ? beyond((millions * 7) / inReport, 1, 0.15) : 0,
      control ? beyond(millions * (rowsPerRequest[inReport] ?? Number.NaN), 50, 1) : 0,
      beyond(gigabytes, 50, 0.25) + beyond((gigabytes * 7) / 30, 12, 0.1),
    ];
    return [...parts, parts.reduce((sum, it) => sum + it)].map(Math.round);
  };
  const sizes: Readonly<Record<string, readonly [number, number]>> = {
    small: [1, 1],
    medium: [100, 1.7],
    large: [2000, 10],
  };

  it("adds up", () => {
    const rows = [...page.matchAll(/^\| (small|medium|large) \| [\d,]+ M \| (yes|no) \| (.*) \|$/gm)];
    expect(rows).toHaveLength(6);
    for (const [, size = "", control, numbers = ""] of rows) {
      const [millions, inReport] = sizes[size] as readonly [number, number];
      expect([size, control, ...numbers.split(" | ").map(Number)]).toEqual([
        size,
        control,
        ...costs(millions, inReport, control === "yes"),
      ]);
    }
  });
});

describe("the table of keys", () => {
  it("names every secret that the code names", () => {
    const files = ["functions", "infra"].flatMap((folder) =>
      listFilesWithin(codeRoot, folder)
        .filter((it) => it.endsWith(".ts"))
        .map((it) => fs.readFileSync(path.join(codeRoot, folder, it), "utf8")),
    );
    const secret =
      /"((?:POSTERN|CONTROL|CLOUDFLARE|GITHUB|PROMETHEUS|OTLP)_[A-Z_]*(?:KEY|TOKEN|SECRET|HEADERS|WEBHOOK_URL))"/g;
    const named = new Set(files.flatMap((text) => [...text.matchAll(secret)].map(([, name = ""]) => name)));
    // The public key of consumers' entries.
    named.delete("POSTERN_CONSUMERS_KEY");
    const table = sectionOf("Keys, and how each is rotated");
    expect(named.size).toBeGreaterThanOrEqual(9);
    expect([...named].filter((name) => !table.includes(`\`${name}\``))).toEqual([]);
  });
});

describe("the removal", () => {
  it("removes every kind of Worker, each before those that it is bound to", async () => {
    const [, list = ""] = /^for kind in (.*); do$/m.exec(sectionOf("Removal")) ?? [];
    const kinds = list.split(" ");
    const emitted = await emit(codeRoot, compile(codeRoot, "local"));
    const kindOf = new Map(emitted.map(({ worker, kind }) => [worker, kind as string]));
    expect(new Set(kindOf.values())).toEqual(new Set(kinds));
    const misplaced = emitted.flatMap(({ kind, uses }) =>
      uses
        .map((worker) => kindOf.get(worker))
        .filter((used) => used !== undefined && used !== kind && kinds.indexOf(used) < kinds.indexOf(kind)),
    );
    expect(misplaced).toEqual([]);
  });
});
