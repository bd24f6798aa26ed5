/** What the scales of a part's spec mean, and those of a tier's own settings. A key without one is only different. */
import type { Scale as ScaleName } from "../../../../functions/gateway/hooks/scales.ts";
import type { FilterSpec, UpstreamSpec } from "../../../../functions/gateway/part.ts";
import { rates } from "./rates.ts";
import {
  addressRanges,
  allowList,
  allowMap,
  boundMap,
  inverse,
  largerIsWeaker,
  longerIsWeaker,
  presence,
  protectiveHeader,
  rankedValues,
  requiredList,
  requiredMap,
  type Scale,
  shareScale,
  stepCount,
  unboundedSize,
  unboundedTime,
  watchScale,
} from "./scales.ts";

type Scales = Readonly<Record<string, Scale>>;

const named: Readonly<Record<Extract<ScaleName, string>, Scale>> = {
  "longer-is-weaker": unboundedTime,
  "larger-is-weaker": unboundedSize,
  "larger-share-is-weaker": shareScale,
  "higher-rate-is-weaker": rates,
  "absent-is-weaker": presence,
  "false-is-weaker": protectiveHeader,
  "required-items": requiredList,
  "required-values": requiredMap,
  "admitted-names": allowMap,
};

const scaleOf = (it: ScaleName): Scale => {
  if (typeof it === "string") return named[it];
  if ("allows" in it) return allowList(it.absent);
  return "addresses" in it ? addressRanges(it.addresses) : rankedValues(...it.weakestFirst);
};

/** @param about the spec of a filter or an upstream */
export const scalesOf = ({ scales = {} }: FilterSpec | UpstreamSpec): Scales =>
  Object.fromEntries(
    Object.entries<ScaleName | undefined>(scales).flatMap(([key, it]) => (it ? [[key, scaleOf(it)]] : [])),
  );

/** Scales of every kind of upstream. */
export const upstreamScales: Scales = { timeout: unboundedTime };

/** Scales of a tier's own settings. */
export const tierScales: Readonly<Record<"limits" | "release", Scales>> = {
  limits: {
    body: unboundedSize,
    concurrency: unboundedSize,
    "concurrency-from": rankedValues("body", "request"),
    "client-share": shareScale,
    "body-idle": unboundedTime,
    // The platform's defaults.
    cpu: longerIsWeaker(30_000),
    "sub-requests": largerIsWeaker(1000),
    "stream-age": unboundedTime,
    "response-idle": unboundedTime,
    "websocket-age": unboundedTime,
    "websocket-bytes": unboundedSize,
  },
  release: {
    steps: stepCount,
    bake: inverse(unboundedTime),
    watch: watchScale,
    tolerate: boundMap,
    limits: boundMap,
    smoke: requiredList,
    queries: inverse(allowMap),
  },
};
