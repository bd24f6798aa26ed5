/** A row of a compatibility table: what a real client, issuer or document does, and the right response. */
import { expect, test } from "vitest";

export interface Row {
  /** The input and the right answer in a sentence. Unique within its kind. */
  readonly it: string;
  /** Who says so: the section of a specification, a vendor's documentation, or a public report. */
  readonly authority: string;
}

/** Runs each row as a test of its own. */
export const table = <R extends Row>(rows: readonly R[], check: (row: R) => void | Promise<void>): void => {
  test("each row has a name of its own and an authority", () => {
    expect(new Set(rows.map(({ it }) => it)).size).toBe(rows.length);
    expect(rows.filter(({ authority }) => authority.trim() === "")).toEqual([]);
  });
  test.each(rows)("$it ($authority)", check);
};
