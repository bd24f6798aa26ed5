/**
 * The contract with scripts: the meaning of exit codes, and the keys of a command's JSON. The help and the reference are
 * generated from it.
 */

export const exitCodes = {
  0: "success",
  1: "a manifest is invalid, a case fails, or something is stale or left out",
  2: "the command line is invalid; nothing was done",
  3: "it could not run: a file, a commit, a server or a permission is missing",
  4: "a rollout was rolled back or left, or stopped a wave",
  5: "a change or a finding reaches --fail-on",
  6: "a rollout or a wave is paused until a person resumes or aborts it",
  7: "a person is needed: a step holds, or a second person has to approve",
  8: "a rollout or a wave is still running",
} as const;

export type ExitCode = keyof typeof exitCodes;

/** The codes of a release's state, by name. */
export const exitCode = { rolledBack: 4, paused: 6, personNeeded: 7, running: 8 } as const satisfies Readonly<
  Record<string, ExitCode>
>;

interface CommandContract {
  /** Exit codes besides 0, 2 and 3, and when they are used. */
  readonly exits: Readonly<Partial<Record<1 | 4 | 5, string>>>;
  /** Keys of the object that `--json` writes to stdout. A `?` marks an optional key. */
  readonly json: readonly string[];
}

const brokenManifest = "a manifest is invalid";

/** The commands that write and review manifests. */
export const commandContracts: Readonly<Record<string, CommandContract>> = {
  init: {
    exits: { 1: "a manifest is invalid, or something of the OpenAPI document is left out" },
    json: ["root", "written", "kept", "notes", "gaps", "problems", "next"],
  },
  upgrade: {
    exits: { 1: "a manifest is invalid for the new version" },
    json: ["before", "after", "dependencies", "environments"],
  },
  check: {
    exits: { 1: "a manifest is invalid", 5: "a finding reaches `--fail-on`, by default `high`" },
    json: ["environments", "manifests", "broken", "routes", "problems", "findings", "ignored", "fixed?", "patch?"],
  },
  diff: {
    exits: { 1: "the version after is invalid", 5: "a change reaches `--fail-on`, if that is set" },
    json: [
      ...[
        "before",
        "after",
        "summary",
        "risk",
        "changed",
        "code",
        "environments",
        "changes",
        "workers",
        "tiers",
        "files",
      ],
      ...["problems", "brokenBefore"],
    ],
  },
  ci: {
    exits: { 1: "one of its stages exits with 1", 5: "a finding or a change reaches `--fail-on`" },
    json: ["check", "repo", "test", "diff"],
  },
  test: {
    exits: { 1: "a case fails, an own part breaks a law, a file is invalid, or the coverage is below `--fail-under`" },
    json: ["problems", "environment?", "failed?", "coverage?", "tiers?", "parts?"],
  },
  effective: {
    exits: { 1: brokenManifest },
    json: ["environment", "tier", "at", "dropped", "settings", "filters", "upstreams", "routes"],
  },
  explain: {
    exits: { 1: "a manifest is invalid, so the result could differ" },
    json: [
      "tier",
      "route",
      "status",
      "code",
      "detail",
      "because",
      "steps",
      "misses",
      "upstream",
      "copies",
      "unknown",
      "problems",
    ],
  },
  "import openapi": {
    exits: { 1: "something is left out without `--accept-gaps`, or the result is invalid" },
    json: ["written", "routes", "leftOut", "gaps", "problems"],
  },
  "import gateway-api": {
    exits: { 1: "something is left out without `--accept-gaps`, or the result is invalid" },
    json: ["written", "routes", "leftOut", "gaps", "problems", "values", "others"],
  },
  "export openapi": {
    exits: { 1: "a manifest is invalid, or something is left out without `--accept-gaps`" },
    json: ["written", "operations", "leftOut", "gaps"],
  },
  "export site": {
    exits: { 1: "a manifest is invalid, or something is left out without `--accept-gaps`" },
    json: ["written", "operations", "leftOut", "gaps"],
  },
  repo: {
    exits: { 1: "a manifest is invalid; with `--check`, something is missing or stale" },
    json: ["problems?", "unowned?", "written?"],
  },
  staged: { exits: { 1: "a staged file is invalid" }, json: ["files", "problems", "withoutSchema?"] },
  routes: { exits: { 1: "a manifest is invalid; valid ones are listed" }, json: ["routes", "problems"] },
  build: { exits: { 1: brokenManifest }, json: ["environment", "workers", "problems"] },
};
