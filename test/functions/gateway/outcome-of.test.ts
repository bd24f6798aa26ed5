/** Which measures an outcome counts for: every problem code that exists, and what services answer. */
import { describe, expect, it } from "vitest";
import { filters } from "../../../functions/filters/registry.gen.ts";
import { type Codes, gatewayCodes, upstreamCodes } from "../../../functions/gateway/core/problems.ts";
import type { Outcome } from "../../../functions/gateway/core/types.ts";
import {
  type FrontOutcome,
  frontOutcomes,
  measuresOfFrontOutcome,
} from "../../../functions/gateway/observability/front-counts.ts";
import { outcomeOf } from "../../../functions/gateway/observability/outcome-of.ts";
import { upstreams } from "../../../functions/upstreams/registry.gen.ts";

const all: Codes = Object.assign(
  { ...gatewayCodes, ...upstreamCodes },
  ...[...Object.values(filters), ...Object.values(upstreams)].map(({ spec }) => spec().codes ?? {}),
);

/** A new code with 5xx belongs into this list, or it is a fault. */
const errorsOfOthers = [
  // Limits and closed routes that the manifest or an overlay sets.
  ...["gate-busy", "route-closed", "timeout"],
  // What is deployed, not what runs.
  ...["tier-not-deployed", "gate-unavailable"],
  // Services.
  ...["upstream-timeout", "upstream-invalid", "upstream-unreachable"],
  // Stores and keys of filters.
  ...["consumers-unavailable", "replay-unchecked", "revocations-unavailable", "keys-unavailable", "limit-unavailable"],
];

const measures = (status: number | string, verdict: Outcome["verdict"], code = "") =>
  outcomeOf({ status: String(status), verdict, code });

describe("the outcome of a problem", () => {
  it.each(Object.entries(all))("%s counts", (code, { status }) => {
    // A problem is refused if a filter returns it, and failed if it is thrown with 5xx.
    for (const verdict of ["refused", "failed"] as const) {
      if (status < 500) expect(measures(status, verdict, code)).toEqual(["refusals"]);
      else if (errorsOfOthers.includes(code)) expect(measures(status, verdict, code)).toEqual(["errors"]);
      else expect(measures(status, verdict, code)).toEqual(["errors", "faults"]);
    }
  });

  it("is a fault of the gate for one code alone", () => {
    const faults = Object.entries(all).filter(([code, { status }]) =>
      measures(status, "failed", code).includes("faults"),
    );
    expect(faults.map(([code]) => code)).toEqual(["internal"]);
    expect(errorsOfOthers.filter((code) => !(code in all))).toEqual([]);
  });
});

it.each<[number | string, Outcome["verdict"], string, readonly string[]]>([
  [200, "passed", "", []],
  [101, "passed", "", []],
  [304, "passed", "", []],
  [204, "answered", "", []],
  [404, "passed", "", ["clientErrors"]],
  [429, "passed", "", ["clientErrors"]],
  [500, "passed", "", ["errors"]],
  [503, "answered", "", ["errors"]],
  // A filter answers in place of the service.
  [403, "answered", "", ["refusals"]],
  [401, "refused", "token-missing", ["refusals"]],
  [499, "left", "", ["abandoned"]],
  ["4xx", "passed", "", ["clientErrors"]],
  ["4xx", "refused", "", ["refusals"]],
  ["4xx", "left", "", ["abandoned"]],
  ["5xx", "failed", "", ["errors"]],
  ["5xx", "failed", "internal", ["errors", "faults"]],
  ["2xx", "passed", "", []],
  ["", "passed", "", []],
])("%s, %s %s counts for %j", (status, verdict, code, expected) => {
  expect(measures(status, verdict, code)).toEqual(expected);
});

it("the outcomes of requests through a front count for their measures", () => {
  const found = frontOutcomes.map((it, number): [FrontOutcome, readonly string[]] => [
    it,
    measuresOfFrontOutcome(number),
  ]);
  expect(Object.fromEntries(found)).toEqual({
    ok: [],
    error: ["errors"],
    refused: ["refusals"],
    abandoned: ["abandoned"],
    "upstream-error": ["errors"],
    forwarded: [],
    "forwarded-failed": [],
    fault: ["errors", "faults"],
  });
  // Of a newer gate.
  expect(measuresOfFrontOutcome(31)).toEqual([]);
});
