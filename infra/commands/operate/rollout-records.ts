/** `postern rollout show` and `postern rollout history`: what control recorded of a tier's rollouts. */
import type { Verdict } from "../../../functions/control/model/finding.ts";
import type { Attempt, Rollout } from "../../../functions/control/model/rollout.ts";
import { evidencePath, shareOf, stateOf, stateSince } from "../../../functions/control/model/rollout-state.ts";
import type { RolloutReport } from "../../../functions/control/rollout/report.ts";
import { criterionName } from "../../../functions/control/verdict/decision-text.ts";
import { controlClientFor } from "../../release/control-client.ts";
import { formatTime } from "../../terminal/arguments.ts";
import { csv } from "../../terminal/csv.ts";
import type { Outcome } from "../../terminal/outcome.ts";
import { hanging, table } from "../../terminal/table.ts";
import { toOneLineValues } from "../../terminal/terminal.ts";
import { attemptText, budgetText } from "./attempts.ts";
import type { ControlOptions } from "./options.ts";
import { findingsTable } from "./rollout-view.ts";

/** Shows a rollout's evidence, as it was when control decided. */
export const show = async (tier: string, id: string, options: ControlOptions): Promise<Outcome> => {
  const report = await controlClientFor(options).call<RolloutReport>("GET", evidencePath({ tier, id }));
  return { exitCode: 0, text: reportText(report), data: report };
};

/** @param columns of the terminal */
export const reportText = (given: RolloutReport, columns?: number): string => {
  const it = toOneLineValues(given);
  const decisions = it.decisions.map(
    ({ at, share, what, verdict }) => `${utc(at)}  at ${share} %: ${decided[what]}\n${verdictText(verdict, columns)}`,
  );
  // The last decision has the last verdict, unless the rollout was stopped by a person or continues.
  const isLastDecided = JSON.stringify(it.decisions.at(-1)?.verdict) === JSON.stringify(it.verdict);
  return `${[
    `${it.tier}  rollout ${it.rollout} in ${it.environment}`,
    `${it.state.toUpperCase().replace("-", " ")} since ${utc(it.stateSince)}, at ${it.share} %`,
    hanging("  ", it.why, columns),
    "",
    hanging("started   ", `${utc(it.startedAt)} by ${it.startedBy}: ${it.reason}`, columns),
    ...(it.commit === null ? [] : [`commit    ${it.commit}`]),
    ...(it.wave === null ? [] : [`wave      ${it.wave}`]),
    ...attemptText({ attempt: attemptIn(it) }, columns),
    ...it.versions.map(({ worker, stable, canary }) => `versions  ${worker}\n  stable  ${stable}\n  canary  ${canary}`),
    `evidence  ${it.url}`,
    ...it.alerts.map(({ at, why }) => hanging("ALERT     ", `${utc(at)}: ${why}`, columns)),
    ...decisions.flatMap((text) => ["", text]),
    ...(it.verdict && !isLastDecided ? ["", `last verdict\n${verdictText(it.verdict, columns)}`] : []),
    "",
    table(
      ["share", "since (UTC)", "until (UTC)"],
      it.stretches.map(({ share, since, until }) => [`${share} %`, time(since), until === null ? "now" : time(until)]),
      columns,
    ),
    table(
      ["when (UTC)", "who", "what"],
      it.notes.map(({ at, what, by }) => [time(at), by ?? "control", what]),
      columns,
    ).trimEnd(),
  ].join("\n")}\n`;
};

/** As a rollout stores it. */
const attemptIn = ({ attempt }: RolloutReport): Attempt | undefined =>
  attempt
    ? {
        ...attempt,
        earlier: attempt.earlier.map(({ rollout, startedAt, endedAt, ...it }) => ({
          ...it,
          id: rollout,
          startedAt: Date.parse(startedAt),
          endedAt: endedAt === null ? null : Date.parse(endedAt),
        })),
      }
    : undefined;

const decided = {
  step: "every criterion passed, so the next step began",
  paused: "paused",
  failed: "the new version failed",
} as const;

/** The findings, and what the requests failed of by route and code. */
const verdictText = ({ findings }: Verdict, columns: number | undefined): string => {
  const rows = findings.flatMap((finding) =>
    (finding.causes ?? []).map(({ route, by, code, canary, stable }) => [
      criterionName(finding),
      route,
      by,
      code,
      canary,
      stable,
    ]),
  );
  const causes = table(["criterion", "route", "by", "code", "canary", "stable"], rows, columns);
  return [findingsTable(findings, ({ why }) => why, columns), ...(rows.length > 0 ? ["", causes] : [])]
    .join("\n")
    .trimEnd();
};

const time = (text: string): string => formatTime(Date.parse(text));
const utc = (text: string): string => `${time(text)} UTC`;

interface HistoryOptions extends ControlOptions {
  readonly csv?: true | undefined;
}

export const history = async (tier: string, options: HistoryOptions): Promise<Outcome> => {
  const path = `/v1/tiers/${encodeURIComponent(tier)}/rollouts`;
  const all = await controlClientFor(options).call<readonly Rollout[]>("GET", path);
  if (options.csv) return { exitCode: 0, text: "", product: historyCsv(all), data: undefined };
  if (all.length === 0) return { exitCode: 0, text: `${tier} has no rollout\n`, data: all };
  const rows = all.map((it) => [
    it.id,
    formatTime(it.startedAt),
    it.by,
    stateOf(it),
    it.attempt ? `${it.attempt.number} (${budgetText(it.attempt)})` : "",
    it.reason,
    it.why,
  ]);
  const head = ["rollout", "started (UTC)", "by", "state", "attempt (budget)", "reason", "why"];
  return { exitCode: 0, text: table(head, rows), data: all };
};

/** The columns, as documented in docs/gray-release.md. */
const csvColumns: Readonly<Record<string, (it: Rollout) => string | number>> = {
  rollout: ({ id }) => id,
  tier: ({ tier }) => tier,
  state: stateOf,
  state_since: (it) => iso(stateSince(it)),
  share_percent: shareOf,
  started: ({ startedAt }) => iso(startedAt),
  ended: ({ endedAt }) => (endedAt === null ? "" : iso(endedAt)),
  started_by: ({ by }) => by,
  reason: ({ reason }) => reason,
  why: ({ why }) => why,
  verdict: ({ verdict }) => verdict?.verdict ?? "",
  workers: ({ subjects }) => subjects.map(({ worker }) => worker).join(" "),
  stable: ({ subjects }) => subjects.map(({ stable }) => stable).join(" "),
  canary: ({ subjects }) => subjects.map(({ canary }) => canary).join(" "),
  commit: ({ commit }) => commit ?? "",
  wave: ({ wave }) => wave ?? "",
  attempt: ({ attempt }) => attempt?.number ?? "",
};

export const historyCsv = (all: readonly Rollout[]): string =>
  csv(
    Object.keys(csvColumns),
    all.map((it) => Object.values(csvColumns).map((read) => read(it))),
  );

const iso = (at: number): string => new Date(at).toISOString();
