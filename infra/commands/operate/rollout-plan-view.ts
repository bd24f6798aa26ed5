/** Formats the plan of a release for the terminal. */
import type { StepConfig } from "../../../functions/control/model/release-config.ts";
import type {
  PlannedCriterion,
  PlannedHarm,
  PlannedStep,
  ReleasePlan,
} from "../../../functions/control/planning/release-plan.ts";
import type { TrafficEstimate } from "../../../functions/control/planning/traffic.ts";
import { counted, duration, number, percent } from "../../../functions/control/verdict/format.ts";
import { formatTime } from "../../terminal/arguments.ts";
import { hanging, table } from "../../terminal/table.ts";
import type { PlannedStart } from "./planned-start.ts";

/** @param columns of the terminal */
export const planText = ({ tier, release, chosen, plan, better }: PlannedStart, columns?: number): string => {
  const steps = `${listOf(release.steps)}${chosen ? ", chosen by the traffic" : ""}`;
  if (!plan) {
    const why = `unknown: less than ten minutes are counted, or hardly a request${chosen ? "; these are the default steps" : ""}`;
    return `${hanging("traffic  ", why, columns)}\n${hanging("steps    ", listOf(release.steps), columns)}\n`;
  }
  const { traffic, steps: planned, totalMs } = plan;
  return `${[
    hanging(`${tier}  `, trafficText(traffic), columns),
    hanging("steps  ", steps, columns),
    "",
    table(
      ["step", "passes after", "clients", "requests", "needs", "errors", "refusals", "slow"],
      planned.map(rowOf),
      columns,
    ).trimEnd(),
    "",
    ...legend(plan).map((text) => hanging("  ", text, columns)),
    "",
    hanging("", totalText(planned, totalMs), columns),
    ...warnings(plan, better).map((text) => hanging("WARNING  ", text, columns)),
  ].join("\n")}\n`;
};

const trafficText = ({ requestsPerSecond, since, until, clients }: TrafficEstimate): string => {
  const rate = requestsPerSecond >= 10 ? number(requestsPerSecond) : String(Number(requestsPerSecond.toPrecision(2)));
  const who = clients
    ? `${counted(clients.clusters, "client")}, ${percent(clients.authenticated)} of them authenticated; ${percent(clients.dealt)} of the requests come without a key`
    : "its clients are unknown until a rollout has counted them";
  return `about ${rate} requests/s on average, from ${formatTime(since)} to ${formatTime(until)} UTC; ${who}`;
};

const rowOf = ({ share, passesMs, watch, hold, exposed, harm, harmedClients }: PlannedStep): string[] => {
  const { clients, requests } = exposed;
  return [
    `${share} %${watch ? " watch" : hold ? " hold" : ""}`,
    passesMs === null ? "never" : duration(passesMs),
    clients === null ? "unknown" : number(clients),
    number(twoFigures(requests)),
    number(harmedClients),
    ...shown.map((criterion) => (harm ? harmText(harm[criterion]) : "unknown")),
  ];
};

/** The others are in JSON. */
const shown = ["errors", "refusals", "latency"] as const satisfies readonly PlannedCriterion[];

const harmText = ({ rollsBack, holds }: PlannedHarm): string => {
  if (rollsBack !== null) return increase(rollsBack);
  return holds === null ? "none" : `(${increase(holds)})`;
};

/** As a manifest has it: `+0.5pp`. */
const increase = (part: number): string => `+${Number((part * 100).toPrecision(2))}pp`;

const twoFigures = (value: number): number => Number(value.toPrecision(2));

const legend = ({ traffic: { clients } }: ReleasePlan): readonly string[] => [
  "passes after: about when a version that changes nothing passes without a person; clients, requests: those that have the new version until then",
  "needs: clients with failures that a rollback needs, if no client on the stable version has any",
  ...(clients
    ? [
        "errors, refusals, slow: the smallest increase that is rolled back with a probability of 99 %, before the step gives up; in brackets, one that only holds the rollout, until a person decides; slow is slower than stable's 99th percentile",
      ]
    : []),
];

const totalText = (steps: readonly PlannedStep[], totalMs: number | null): string => {
  if (totalMs === null) return "it does not reach all users without a person";
  const holds = steps.filter(({ hold }) => hold).length;
  return `all users have it in about ${duration(totalMs)}${holds > 0 ? `, and the time of ${counted(holds, "decision")} by a person` : ", without a person"}`;
};

const warnings = ({ steps, traffic }: ReleasePlan, better: PlannedStart["better"]): readonly string[] => {
  const stuck = steps.filter(({ passesMs }) => passesMs === null);
  const [first] = stuck;
  if (!first) return [];
  const shares = stuck.map(({ share }) => `${share} %`).join(", ");
  const remedy = better
    ? `write \`steps: auto\`, which is ${listOf(better)} now, or a longer bake`
    : `at this traffic a person decides: a longer bake waits longer, and a first step of 20 % has most evidence${traffic.clients ? "" : "; clients are unknown"}`;
  return [
    `at ${shares} no version passes at this traffic; the rollout pauses ${duration(first.endsMs)} after such a step begins; ${remedy}`,
  ];
};

const listOf = (steps: readonly StepConfig[]): string => `[${steps.map(stepText).join(", ")}]`;

const stepText = (step: StepConfig): string => {
  if (typeof step === "string") return step;
  const { share, bake, hold } = step;
  return `{ share: ${[share, ...(bake ? [`bake: ${bake}`] : []), ...(hold ? ["hold: true"] : [])].join(", ")} }`;
};
