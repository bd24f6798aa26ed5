/** The audit as other tools read it: SARIF by its published schema, and workflow commands of GitHub. */
import { createRequire } from "node:module";
import { Ajv } from "ajv";
import { describe, expect, it } from "vitest";
import { check } from "../../../infra/commands/authoring/check.ts";
import { allRules } from "../../../infra/review/audit/registry.ts";
import { sarif } from "../../../infra/review/audit/sarif.ts";
import { writeProject } from "../../e2e/project.ts";
import { auditCases, auditOf, today } from "./audit-cases.ts";

interface Log {
  readonly runs: readonly {
    readonly tool: { readonly driver: { readonly rules: readonly { readonly id: string }[] } };
    readonly results: readonly {
      readonly ruleId: string;
      readonly ruleIndex: number;
      readonly level: string;
      readonly locations: readonly {
        readonly physicalLocation: { readonly artifactLocation: { readonly uri: string } };
      }[];
      readonly suppressions?: readonly { readonly justification: string }[];
      readonly partialFingerprints: Readonly<Record<string, string>>;
    }[];
  }[];
}

const valid = (() => {
  // The schema that OASIS publishes, in draft 4, which differs from what the validator knows by names only.
  const {
    $schema: _,
    id: __,
    ...schema
  } = createRequire(import.meta.url)("@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json");
  return new Ajv({
    strict: false,
    unicodeRegExp: false,
    allErrors: true,
    formats: { uri: URL.canParse, "uri-reference": true, "date-time": true },
  }).compile(schema);
})();

const cases = auditCases();
const text = (rule: string) => cases.find((it) => it.rule === rule)?.bad ?? "";

describe("SARIF", () => {
  it("is valid for all rules at once, and points to each by its place in the list", () => {
    const files = Object.fromEntries(
      cases.map(({ rule, bad }) => {
        const [manifest = ""] = bad.split("-- environment --");
        return [`routes/${rule}.yaml`, manifest.replace("tier: shop", `tier: ${rule}\nbase: /${rule}`)];
      }),
    );
    const [, unsigned = ""] = text("unsigned-consumers").split("-- environment --");
    const audited = auditOf({ ...files, "routes/environments/local.yaml": unsigned });
    const log = sarif([], audited) as Log;
    expect(valid(log), JSON.stringify(valid.errors, null, 2)).toBe(true);
    const [run] = log.runs;
    const rules = run?.tool.driver.rules.map(({ id }) => id) ?? [];
    expect(rules.toSorted()).toEqual(
      allRules()
        .map(({ id }) => id)
        .sort(),
    );
    for (const { ruleId, ruleIndex } of run?.results ?? []) expect(rules[ruleIndex]).toBe(ruleId);
    const severities = Object.fromEntries(allRules().map(({ id, severity }) => [id, severity]));
    for (const { ruleId, level } of run?.results ?? [])
      expect(level).toBe({ high: "error", medium: "warning", low: "note" }[severities[ruleId] ?? "low"]);
  });

  it("has the compiler's problems, ignored findings as suppressed, and no duplicate result", () => {
    const root = writeProject({
      "routes/shop.yaml": text("idle-protection").replace(
        "  - rate-limit: { limit: 5000",
        "  # postern-ignore idle-protection until 2027-01-31: counted for a month, to see whom it refuses\n  - rate-limit: { limit: 5000",
      ),
      "routes/odd.yaml": "api: postern/v1\noops: 1\n",
    });
    const { data, exitCode } = check({ root, format: "sarif" }, today);
    expect(exitCode).toBe(1);
    expect(valid(data), JSON.stringify(valid.errors, null, 2)).toBe(true);
    const results = (data as Log).runs[0]?.results ?? [];
    expect(results.map(({ ruleId, suppressions }) => [ruleId, suppressions?.[0]?.justification])).toContainEqual([
      "idle-protection",
      "counted for a month, to see whom it refuses (until 2027-01-31)",
    ]);
    expect(results.map(({ ruleId }) => ruleId)).toContain("unknown-key");
  });

  it("knows a finding again when its line has moved", () => {
    const prints = (manifest: string) =>
      (sarif([], auditOf({ "routes/shop.yaml": manifest })) as Log).runs[0]?.results.map(
        (it) => it.partialFingerprints,
      );
    const bad = text("long-token");
    expect(prints(`# one line more\n${bad}`)).toEqual(prints(bad));
    expect(prints(bad)).not.toEqual(prints(text("wide-leeway")));
  });

  it("is valid, and says the same files, where names are odd", () => {
    const log = sarif([], {
      findings: auditOf({ "routes/shop.yaml": text("long-token") }).findings.map((it) => ({
        ...it,
        file: "routes/a b%/ü.yaml",
      })),
      ignored: [],
    }) as Log;
    expect(valid(log)).toBe(true);
    expect(log.runs[0]?.results[0]?.locations[0]?.physicalLocation.artifactLocation.uri).toBe(
      "routes/a%20b%25/%C3%BC.yaml",
    );
  });

  it("is refused by the schema where a result has no message", () => {
    const log = structuredClone(sarif([], auditOf({ "routes/shop.yaml": text("long-token") }))) as {
      runs: { results: { message?: unknown }[] }[];
    };
    delete log.runs[0]?.results[0]?.message;
    expect(valid(log)).toBe(false);
  });
});

describe("annotations of a pull request", () => {
  it("are errors, warnings and notices by severity, one line each, with nothing of a manifest that could begin another", () => {
    const evil = "GET /a/{x:[a-z0-9]+[0-9]{1,30}}";
    const root = writeProject({
      "routes/shop.yaml": text("costly-pattern")
        .replace(/GET \S+/, evil)
        .replace("by: ip", "by: ip, on-failure: allow"),
      "routes/open.yaml": text("unlimited-public-route").replace("tier: shop", "tier: open\nbase: /o"),
      "routes/quiet.yaml": text("muted-log").replace("tier: shop", "tier: quiet\nbase: /q"),
    });
    const { commands: shown = "" } = check({ root, format: "github" }, today);
    const lines = shown.trimEnd().split("\n");
    expect(lines.map((it) => /^::(\w+) file=(\S+?),line=\d+,.*title=([\w-]+)::/.exec(it)?.slice(1))).toEqual([
      ["error", "routes/open.yaml", "unlimited-public-route"],
      ["notice", "routes/quiet.yaml", "muted-log"],
      ["warning", "routes/shop.yaml", "open-on-failure"],
      ["warning", "routes/shop.yaml", "costly-pattern"],
    ]);
  });
});
