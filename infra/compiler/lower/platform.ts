/** Settings that all Workers share, Worker names, and the bindings that filters and upstreams need. */
import { createHash } from "node:crypto";
import type { Binding } from "../../../functions/gateway/part.ts";
import type { CheckedTier } from "../model/checked.ts";

/** The compatibility date of all Workers. Raised by hand, after the tests pass with it. */
export const compatibilityDate = "2026-11-01";
/** Lets a gate detect that its client disconnected. */
export const compatibilityFlags = ["enable_request_signal"];

export const common = {
  compatibility_date: compatibilityDate,
  compatibility_flags: compatibilityFlags,
  // By default wrangler publishes Workers without routes, and every version.
  workers_dev: false,
  preview_urls: false,
  no_bundle: true,
  find_additional_modules: true,
  base_dir: ".",
  rules: [{ type: "ESModule", globs: ["**/*.js"] }],
  observability: { enabled: true },
} as const;

/** The Worker's name; outside production with the environment's name as suffix. */
export const workerName = (name: string, environment: string): string =>
  fitName(environment === "production" ? name : `${name}-${environment}`, "-");

const maxNameLength = 63;

/** A name that is too long for the platform ends in a hash of all of it. */
export const fitName = (name: string, separator: "-" | "_"): string => {
  if (name.length <= maxNameLength) return name;
  const hash = createHash("sha256").update(name).digest("hex").slice(0, 8);
  return `${name.slice(0, maxNameLength - hash.length - 1)}${separator}${hash}`;
};

/** What a tier's parts need of the platform. */
export const requiredBindings = ({ routes, upstreams }: CheckedTier): Binding[] => [
  ...routes.flatMap(({ chain }) => chain.flatMap(({ spec, config }) => spec.bindings?.(config) ?? [])),
  ...Object.values(upstreams).flatMap(({ spec, config }) => spec.bindings?.(config) ?? []),
];
