/** What the scales of a part's spec mean, and those of a tier's own settings. A key without one is only different. */
import type { Scale as ScaleName } from "../../../../functions/gateway/hooks/scales.ts";
import type { AboutFilter, AboutUpstream } from "../../../../functions/gateway/part.ts";
import { rates } from "./rates.ts";
import {
  admitted,
  allowing,
  bounds,
  demanding,
  demands,
  header,
  larger,
  largerThan,
  longer,
  longerThan,
  opposite,
  present,
  ranges,
  ranked,
  type Scale,
  shares,
  steps,
} from "./scales.ts";

type Scales = Readonly<Record<string, Scale>>;

const named: Readonly<Record<Extract<ScaleName, string>, Scale>> = {
  "longer-is-weaker": longer,
  "larger-is-weaker": larger,
  "larger-share-is-weaker": shares,
  "higher-rate-is-weaker": rates,
  "absent-is-weaker": present,
  "false-is-weaker": header,
  "required-items": demanding,
  "required-values": demands,
  "admitted-names": admitted,
};

const scaleOf = (it: ScaleName): Scale => {
  if (typeof it === "string") return named[it];
  if ("allows" in it) return allowing(it.absent);
  return "addresses" in it ? ranges(it.addresses) : ranked(...it.weakestFirst);
};

/** @param about the spec of a filter or an upstream */
export const scalesOf = ({ scales = {} }: AboutFilter | AboutUpstream): Scales =>
  Object.fromEntries(
    Object.entries<ScaleName | undefined>(scales).flatMap(([key, it]) => (it ? [[key, scaleOf(it)]] : [])),
  );

/** Of every upstream, whatever it speaks. */
export const upstreamScales: Scales = { timeout: longer };

/** Of a tier's own settings. */
export const tierScales: Readonly<Record<"limits" | "release", Scales>> = {
  limits: {
    body: larger,
    concurrency: larger,
    "concurrency-from": ranked("body", "request"),
    "client-share": shares,
    "body-idle": longer,
    // What the platform has where the manifest says nothing.
    cpu: longerThan(30_000),
    "sub-requests": largerThan(1000),
    "stream-age": longer,
  },
  release: {
    steps,
    bake: opposite(longer),
    tolerate: bounds,
    limits: bounds,
    smoke: demanding,
    queries: opposite(admitted),
  },
};
