/** Audit rules for unneeded exposure, and for protection that is not enforced. */
import { watchOf } from "../../../../functions/control/model/release.ts";
import { dayStart } from "../../../../functions/gateway/core/quantities.ts";
import { isEnforced } from "../../../compiler/check/rules/enforced.ts";
import { writtenSecrets } from "../../core/written-secrets.ts";
import { distinctFilters, hasUpstream } from "../rule-kit/chains.ts";
import type { AuditTarget, RawFinding, Rule } from "../rule-kit/rule.ts";

export const anyMethod: Rule = {
  id: "any-method",
  severity: "medium",
  summary: "A route forwards every method, including unintended ones.",
  incident:
    "A console required a password for GET and POST only; HEAD did the same without one (JBoss, CVE-2010-0738).",
  remedy: "Name the methods: `GET,POST /orders`.",
  check: ({ tier }) =>
    tier.routes
      .filter((route) => hasUpstream(route) && route.methods.includes("ANY"))
      .map(({ name }) => ({
        source: tier.source,
        at: ["routes", name, "match"],
        message: `${name} forwards DELETE and every other method`,
        remedy: "name the methods: GET,POST /orders",
      })),
};

export const passedSunset: Rule = {
  id: "passed-sunset",
  severity: "medium",
  summary: "A route is served after its sunset date.",
  incident:
    "An API that was no longer used, but still online, exposed the records of 9.5 million customers (Optus, 2022).",
  remedy: "Remove the route, or move `sunset` and inform its clients.",
  check: ({ tier, now }) =>
    tier.routes.flatMap(({ name, settings }): RawFinding[] => {
      const sunset = settings.deprecated?.sunset;
      if (sunset === undefined || dayStart(sunset) > now) return [];
      return [
        {
          source: tier.source,
          at: ["routes", name, "deprecated", "sunset"],
          message: `the sunset of ${name} was ${sunset}`,
          remedy: "remove the route, or move the date and inform its clients",
        },
      ];
    }),
};

export const idleProtection: Rule = {
  id: "idle-protection",
  severity: "low",
  summary: "A protecting filter is not enforced, for some users or for all.",
  incident:
    "The alarm worked, and the system that would have acted on it was switched off; 40 million cards were copied (Target, 2013).",
  remedy: "Enforce it, or remove it. While a new rule is being tried, ignore this one until the date of the decision.",
  check: ({ tier }) =>
    distinctFilters(tier)
      .filter(
        (it) =>
          protectivePhases.includes(it.spec.phase) && !it.spec.security?.(it.config).pages && it.when.length === 0,
      )
      .filter((it) => !isEnforced(it))
      .map(({ source, entry, use, mode, percent }) => ({
        source,
        at: entry,
        key: use,
        message:
          mode === "enforce"
            ? `${use} applies to ${percent} of users only`
            : `${use} refuses no request: it is ${mode === "off" ? "off" : "in shadow mode"}`,
        remedy: "enforce it, remove it, or ignore this until the date of the decision",
      })),
};

const protectivePhases: readonly string[] = ["admission", "identity", "access", "limits"];

export const mutedLog: Rule = {
  id: "muted-log",
  severity: "low",
  summary: "A tier writes no access log.",
  incident:
    "Traffic was not inspected for 19 months because of an expired certificate, and the theft of 147 million records went unnoticed (Equifax, 2017).",
  remedy: "Keep a sample: `log: { sample: 1% }`. Errors are always logged.",
  check: ({ tier }) =>
    /^0+(?:\.0+)?%$/.test(tier.manifest.log.sample)
      ? [
          {
            source: tier.source,
            at: ["log", "sample"],
            message: "no request is logged, so no attack is",
            remedy: "keep a sample: 1%",
          },
        ]
      : [],
};

export const releasedAtOnce: Rule = {
  id: "released-at-once",
  severity: "medium",
  summary: "A new version of a core tier, or of the front ahead of one, reaches everybody in one step.",
  incident:
    "An update went to all machines at once, and 8.5 million of them did not start again (Falcon sensor, 2024).",
  remedy: "Remove `steps`, or begin with a small share: `[1%, 10%, 100%]`.",
  check: (target) =>
    target.tier.manifest.level === "core"
      ? releasesOf(target)
          .filter(({ release }) => isAtOnce(release.steps))
          .map(({ source, at, what }) => ({
            source,
            at: [...at, "steps"],
            message: `a new version of ${what} reaches all users at once`,
            remedy: "remove it, or begin with a small share: [1%, 10%, 100%]",
          }))
      : [],
};

export const unguardedWatch: Rule = {
  id: "unguarded-watch",
  severity: "low",
  summary: "The watch after a promotion has no hold-back and no bounds, so it rolls back only if the gate crashes.",
  incident:
    "A change that had been rolled out region by region failed everywhere two weeks later, when its first data came (Google Cloud, 2025).",
  remedy: "Keep a hold-back, `watch: { for: 1h, hold-back: 5% }`, or set `limits` or `queries`.",
  check: (target) =>
    releasesOf(target)
      .filter(({ release: { watch, limits, queries } }) => {
        const isBounded = [limits, queries].some((all) => Object.values(all).some((it) => it !== undefined));
        return watchOf(watch)?.holdBack === 0 && !isBounded;
      })
      .map(({ source, at, what }) => ({
        source,
        at: [...at, "watch"],
        message: `errors of ${what} during its watch would only alert`,
        remedy: "keep a hold-back, { for: 1h, hold-back: 5% }, or set limits",
      })),
};

/** The release of the tier, and that of the front ahead of it: only a control plane releases it by share. */
const releasesOf = ({ tier: { manifest, source }, environment: { file, value }, files }: AuditTarget) => {
  const front = files.find((it) => it.file === file);
  return [
    { source, at: ["release"], what: manifest.tier, release: manifest.release },
    ...(front && value.control && manifest.entry === "front"
      ? [{ source: front, at: ["front", "release"], what: "the front", release: value.front.release }]
      : []),
  ];
};

type Steps = AuditTarget["tier"]["manifest"]["release"]["steps"];

/** Chosen steps never are. */
const isAtOnce = (steps: Steps): boolean =>
  steps !== "auto" && steps.every((it) => stepShare(it) === 0 || stepShare(it) === 100);

const stepShare = (step: Exclude<Steps, "auto">[number]): number =>
  Number.parseFloat(typeof step === "string" ? step : step.share);

export const writtenSecret: Rule = {
  id: "written-secret",
  severity: "high",
  summary: "A value looks like a secret, readable by everybody with access to the repository.",
  incident:
    "A key in a repository gave access to the data of 57 million people (Uber, 2016); another one was public for five years (Toyota, 2022).",
  remedy:
    "Refer to it, `{ secret: NAME }`, set it with `postern secrets set`, and revoke the old one: it is in the history. For a value that only looks like a secret, ignore the rule, with the reason.",
  check: ({ files }) =>
    files.flatMap((source) =>
      writtenSecrets(source.value).map(({ path, what }): RawFinding => {
        const remedy = "refer to it: { secret: NAME }; set it with postern secrets set, and revoke this one";
        return { source, at: path, message: `this looks like ${what}`, remedy };
      }),
    ),
};
