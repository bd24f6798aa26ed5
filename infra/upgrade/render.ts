/** Renders what an upgrade changes for a project. */
import pc from "picocolors";
import { count } from "../diagnostics/report.ts";
import { table } from "../terminal/table.ts";
import type { EnvironmentUpgrade, UpgradedWorker } from "./compare.ts";

export interface Upgrade {
  readonly before: string;
  readonly after: string;
  /** Pinned packages whose version differs: name → versions. */
  readonly dependencies: Readonly<Record<string, readonly [string, string]>>;
  readonly environments: readonly EnvironmentUpgrade[];
}

export const renderUpgrade = ({ before, after, dependencies, environments }: Upgrade): string => {
  const changed = Object.entries(dependencies).map(([name, [from, to]]) => `${name} ${from} → ${to}`);
  return [
    pc.bold(`postern ${before} → ${after}`),
    changed.length > 0 ? `it brings ${changed.join(", ")}` : "wrangler, miniflare and workerd stay as they are",
    ...environments.map(renderEnvironment),
    stateLine(environments),
    problemLines(environments),
    nextLines(after),
  ].join("\n");
};

const renderEnvironment = ({ environment, workers }: EnvironmentUpgrade): string => {
  const moving = workers.filter(({ change }) => change !== "unchanged");
  if (moving.length === 0)
    return `\n${pc.bold(environment)}: no Worker gets a new version, and no plan differs (${count(workers.length, "Worker")})`;
  const rows = moving.map((it) => [it.worker, it.change === "changed" ? "new version" : it.change, reasonsOf(it)]);
  const rest = workers.length - moving.length;
  return `\n${pc.bold(environment)}\n${table(["worker", "what", "differs"], rows)}${rest > 0 ? `${count(rest, "Worker")} unchanged\n` : ""}`.trimEnd();
};

const reasonsOf = ({ change, plan, configuration, bytes }: UpgradedWorker): string => {
  if (change !== "changed") return "";
  const size = bytes.before === bytes.after ? "" : ` (${bytes.before} → ${bytes.after} bytes)`;
  return [
    plan.length > 0 ? `plan: ${plan.join(", ")}` : "",
    configuration.length > 0 ? `configuration: ${configuration.join(", ")}` : "",
    `code${size}`,
  ]
    .filter(Boolean)
    .join("; ");
};

/** Durable Objects cannot be rolled back across a migration. */
const stateLine = (environments: readonly EnvironmentUpgrade[]): string => {
  const migrating = environments.flatMap(({ environment, workers }) =>
    workers
      .filter(({ configuration }) => configuration.some((it) => it.startsWith("migrations")))
      .map(({ worker }) => `${worker} (${environment})`),
  );
  return migrating.length === 0
    ? "\nstate: no migration of Durable Objects"
    : `\nstate: a migration of Durable Objects, which cannot be rolled back: ${migrating.join(", ")}`;
};

const problemLines = (environments: readonly EnvironmentUpgrade[]): string => {
  const lines = environments.flatMap(({ environment, problems }) =>
    problems.map(
      ({ file, line, code, message, remedy }) =>
        `  ${file}:${line}  ${code}  ${message}${remedy ? `; ${remedy}` : ""} (${environment})`,
    ),
  );
  const already = Math.max(0, ...environments.map(({ brokenAlready }) => brokenAlready));
  return [
    lines.length === 0 && already === 0 ? "manifests: the new version takes all of them" : "",
    lines.length > 0
      ? `manifests: the new version reports ${count(lines.length, "more problem")}\n${lines.join("\n")}`
      : "",
    already > 0
      ? `manifests: ${count(already, "problem")} with both versions; mend them first (npx postern check), since broken tiers are not compared`
      : "",
  ]
    .filter(Boolean)
    .join("\n");
};

const nextLines = (version: string): string =>
  [
    "",
    "Next:",
    `  npm install --save-dev --save-exact postern@${version}`,
    "  npx postern gen && npx postern check && npm test",
    "  npx postern deploy --env staging",
    `  npx postern wave start --all --watch -m 'postern ${version}'    # tier after tier; without a control plane: npx postern deploy`,
  ].join("\n");
