/** What can be reached that need not be, and what protects in name only. */
import { dayStart } from "../../../../functions/gateway/core/quantities.ts";
import { isEnforced } from "../../../compiler/check/rules/enforced.ts";
import { writtenSecrets } from "../../core/written-secrets.ts";
import { distinctFilters, hasUpstream } from "../rule-kit/chains.ts";
import type { RawFinding, Rule } from "../rule-kit/rule.ts";

export const anyMethod: Rule = {
  id: "any-method",
  severity: "medium",
  summary: "A route hands every method on, also those that nobody thought of.",
  incident:
    "A console was closed for GET and POST; asked with HEAD it did the same without a password (JBoss, CVE-2010-0738).",
  remedy: "Name the methods: `GET,POST /orders`.",
  check: ({ tier }) =>
    tier.routes
      .filter((route) => hasUpstream(route) && route.methods.includes("ANY"))
      .map(({ name }) => ({
        source: tier.source,
        at: ["routes", name, "match"],
        message: `${name} hands DELETE and every other method on`,
        remedy: "name the methods: GET,POST /orders",
      })),
};

export const passedSunset: Rule = {
  id: "passed-sunset",
  severity: "medium",
  summary: "A route is served although the day has passed on which it was to be gone.",
  incident:
    "An API that nobody used any more, and nobody had taken down, gave away the records of 9.5 million customers (Optus, 2022).",
  remedy: "Take the route out, or move `sunset` and tell its clients.",
  check: ({ tier, now }) =>
    tier.routes.flatMap(({ name, settings }): RawFinding[] => {
      const sunset = settings.deprecated?.sunset;
      if (sunset === undefined || dayStart(sunset) > now) return [];
      return [
        {
          source: tier.source,
          at: ["routes", name, "deprecated", "sunset"],
          message: `${name} was to be gone on ${sunset}`,
          remedy: "take the route out, or move the day and tell its clients",
        },
      ];
    }),
};

export const idleProtection: Rule = {
  id: "idle-protection",
  severity: "low",
  summary: "A filter that is there to refuse does not refuse, for some or for all.",
  incident:
    "The alarm was there, and what would have acted on it was switched off; 40 million cards were copied (Target, 2013).",
  remedy:
    "Enforce it, or take it out. While a new rule is tried, ignore this one until the day on which it is to be decided.",
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
            ? `${use} is for ${percent} of users`
            : `${use} refuses nobody: it is ${mode === "off" ? "off" : "in shadow"}`,
        remedy: "enforce it, take it out, or say until when it is tried",
      })),
};

const protectivePhases: readonly string[] = ["admission", "identity", "access", "limits"];

export const mutedLog: Rule = {
  id: "muted-log",
  severity: "low",
  summary: "A tier writes no access lines at all.",
  incident:
    "Nobody looked at the traffic for 19 months, since what looked at it had an expired certificate; the theft of 147 million records lay in it (Equifax, 2017).",
  remedy: "Keep some: `log: { sample: 1% }`. Faults are always written.",
  check: ({ tier }) =>
    /^0+(?:\.0+)?%$/.test(tier.manifest.log.sample)
      ? [
          {
            source: tier.source,
            at: ["log", "sample"],
            message: "no request leaves a line, so no break-in does",
            remedy: "keep some: 1%",
          },
        ]
      : [],
};

export const releasedAtOnce: Rule = {
  id: "released-at-once",
  severity: "medium",
  summary: "A core tier's new version reaches everybody in one step.",
  incident:
    "An update went to all machines at once, and eight and a half million of them did not start again (CrowdStrike, 2024).",
  remedy: "Leave `steps` out, or begin with few: `[1%, 10%, 100%]`.",
  check: ({ tier: { manifest, source } }) =>
    manifest.level === "core" && manifest.release.steps.every((it) => stepShare(it) === 0 || stepShare(it) === 100)
      ? [
          {
            source,
            at: ["release", "steps"],
            message: `all users of ${manifest.tier} meet a new version at once`,
            remedy: "leave it out, or begin with few: [1%, 10%, 100%]",
          },
        ]
      : [],
};

const stepShare = (step: string | { readonly share: string }): number =>
  Number.parseFloat(typeof step === "string" ? step : step.share);

export const writtenSecret: Rule = {
  id: "written-secret",
  severity: "high",
  summary: "A text looks like a secret, and everybody who reads the repository has it.",
  incident:
    "A key that stood in a repository opened the data of 57 million people (Uber, 2016); another one lay open for five years (Toyota, 2022).",
  remedy:
    "Name it, `{ secret: NAME }`, set it with `postern secrets set`, and take the old one back: it is in the history. A text that only looks like one may stay, with the reason.",
  check: ({ files }) =>
    files.flatMap((source) =>
      writtenSecrets(source.value).map(({ path, what }): RawFinding => {
        const remedy = "name it: { secret: NAME }; set it with postern secrets set, and take this one back";
        return { source, at: path, message: `this looks like ${what}`, remedy };
      }),
    ),
};
