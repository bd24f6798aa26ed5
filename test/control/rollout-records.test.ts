/** What is recorded of rollouts: a report of one, in the API and as a text, and the history as CSV. */
import { expect, it } from "vitest";
import { reportOf } from "../../functions/control/rollout/report.ts";
import { historyCsv, reportText } from "../../infra/commands/operate/rollout-records.ts";
import { csv } from "../../infra/terminal/csv.ts";
import { situationOf } from "./rollout-situations.ts";

const url = "https://control.acme.example/v1/rollouts/open/id2-0000";

it("a report has the findings, causes, shares and notes of the decision, and no group of users", async () => {
  const { rollout } = await situationOf("rolled-back");
  const report = reportOf(rollout, "production", url);
  expect(report).toMatchObject({
    state: "rolled-back",
    startedBy: "alice",
    startedAt: "2026-11-30T22:14:05.000Z",
    stretches: [{ share: 0 }, { share: 1, since: "2026-11-30T22:14:05.000Z", until: "2026-11-30T22:14:25.000Z" }],
    decisions: [{ at: "2026-11-30T22:14:25.000Z", share: 1, what: "failed", verdict: { verdict: "fail" } }],
  });
  const [{ verdict }] = report.decisions as [(typeof report.decisions)[number]];
  expect(verdict.findings.find(({ criterion }) => criterion === "refusals")).toMatchObject({
    counts: { canary: { hits: 81, requests: 144 }, stable: { hits: 29, requests: 14_256 } },
    causes: [{ route: "open", code: "route-unknown", canary: 81, stable: 0 }],
  });
  expect(report.notes.map(({ what }) => what.split(":")[0])).toEqual(
    expect.arrayContaining(["started", "returning", "rolled-back"]),
  );
  expect(JSON.stringify(report)).not.toMatch(/"groups"|"latency":\[|gray/);
});

it("a decision keeps its verdict when the rollout is resumed", async () => {
  const { rollout, resumed } = await situationOf("paused").then(async (it) => ({ ...it, resumed: await it.resume() }));
  expect(rollout.decisions).toMatchObject([{ what: "paused", share: 1, verdict: { verdict: "not-enough" } }]);
  expect(resumed.decisions).toEqual(rollout.decisions);
});

it("a healthy rollout records why each step began", async () => {
  const { rollout } = await situationOf("held");
  expect(rollout.decisions).toMatchObject([{ what: "step", share: 1, verdict: { verdict: "pass" } }]);
});

it("a report reads as a text", async () => {
  const text = reportText(reportOf((await situationOf("rolled-back")).rollout, "production", url), 100);
  for (const line of [
    "open  rollout id2-0000 in production",
    "ROLLED BACK since 2026-11-30 22:14:25 UTC, at 0 %",
    "2026-11-30 22:14:25 UTC  at 1 %: the new version failed",
    "  canary  1a7c0e55-93b2-4e55-8a43-7f0a6e3c2d10",
    `evidence  ${url}`,
  ])
    expect(text.split("\n")).toContain(line);
  expect(text).toMatch(/^refusals +open +route-unknown +81 +0$/m);
  // The last verdict is the decision's own, and is shown once.
  expect(text.match(/^fail /gm)).toHaveLength(1);
});

it("a report has the alerts, and what became of earlier attempts at the version", async () => {
  const { rollout } = await situationOf("paused");
  const at = Date.UTC(2026, 10, 30, 21);
  const earlier = [
    { id: "r1", by: "bob", startedAt: at, endedAt: at + 60_000, status: "rolled-back", why: "9 of 99 requests failed" },
  ] as const;
  const alerts = [{ key: "errors", at: at + 3_600_000, why: "8 of 80 requests failed" }];
  const report = reportOf({ ...rollout, alerts, attempt: { number: 2, budget: 0.152, earlier } }, "production", url);
  expect(report).toMatchObject({
    alerts: [{ at: "2026-11-30T22:00:00.000Z", why: "8 of 80 requests failed" }],
    attempt: { number: 2, earlier: [{ rollout: "r1", by: "bob", endedAt: "2026-11-30T21:01:00.000Z" }] },
  });
  const lines = reportText(report, 120).split("\n");
  expect(lines).toEqual(
    expect.arrayContaining([
      "ALERT     2026-11-30 22:00:00 UTC: 8 of 80 requests failed",
      "attempt 2 of this version, with 15 % of the error budget that its attempts share; before:",
      "  2026-11-30 21:01:00 UTC  rollout r1 by bob: rolled back: 9 of 99 requests failed",
    ]),
  );
  // A rollout of an earlier release.
  const { attempt: _, alerts: __, ...old } = rollout;
  expect(reportOf(old, "production", url)).toMatchObject({ alerts: [], attempt: null });
});

it("CSV follows RFC 4180, and no cell is a formula", () => {
  expect(
    csv(
      ["a", "b"],
      [
        ["plain", 1.5],
        ['say "x", y', "=1+1"],
        ["two\nlines", "@SUM(A1)"],
        ["-2", "+3"],
        ["\t=1", "a=1"],
      ],
    ),
  ).toBe(
    ["a,b", "plain,1.5", '"say ""x"", y",\'=1+1', "two\\x0alines,'@SUM(A1)", "'-2,'+3", "'\\x09=1,a=1", ""].join(
      "\r\n",
    ),
  );
});

it("the history has a line for each rollout", async () => {
  const { rollout } = await situationOf("paused");
  const [head = "", line = "", rest] = historyCsv([{ ...rollout, reason: "=cmd, really" }]).split("\r\n");
  expect(rest).toBe("");
  expect(head).toBe(
    "rollout,tier,state,state_since,share_percent,started,ended,started_by,reason,why,verdict,workers,stable,canary,commit,wave,attempt",
  );
  expect(line).toMatch(
    /^id2-0000,open,paused,2026-11-30T23:19:05.000Z,1,2026-11-30T22:14:05.000Z,,alice,"'=cmd, really","?not enough.*not-enough,gate-open-production,64fdeeea-[\w-]+,1a7c0e55-[\w-]+,,,1$/,
  );
});
