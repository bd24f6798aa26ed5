/** Each rule of the audit beside a manifest that has it, as it is read, and one that has not. `UPDATE_GOLDEN=1` writes what is read. */
import fs from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { allRules } from "../../../infra/review/audit/registry.ts";
import { auditCases, auditOfShop, folder, renderAudit, serializeCase } from "./audit-cases.ts";

const update = process.env.UPDATE_GOLDEN === "1";
if (update && process.env.CI) throw new Error("CI does not write golden files");

const cases = auditCases();

it("there is a case for every rule, and no other", () => {
  expect(cases.map(({ rule }) => rule).sort()).toEqual(
    allRules()
      .map(({ id }) => id)
      .sort(),
  );
});

/** An ignore that does not hold brings back what it was for. */
const broughtBack = (rule: string) => (/^(?:invalid|expired)-ignore$/.test(rule) ? ["idle-protection"] : []);

describe.each(cases)("$rule", (it_) => {
  it("finds this, in this place, and nothing else", () => {
    const found = auditOfShop(it_.bad);
    expect(found.findings.map(({ code }) => code)).toEqual([it_.rule, ...broughtBack(it_.rule)]);
    if (update) fs.writeFileSync(path.join(folder, `${it_.rule}.case`), serializeCase(it_, renderAudit(found)));
    else expect(renderAudit(found)).toBe(it_.findings);
    for (const { source, column, length, severity, code } of found.findings) {
      expect(column - 1 + length).toBeLessThanOrEqual(source.length);
      expect(severity).toBe(allRules().find(({ id }) => id === code)?.severity);
    }
  });

  it("finds nothing in the manifest that is right", () => {
    expect(auditOfShop(it_.good).findings).toEqual([]);
  });
});
