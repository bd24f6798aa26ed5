/** The URLs that gates call: those of upstreams, and those that filters call, such as an issuer's keys. */
import type { Compiled } from "../compiler/compile.ts";
import type { CheckedTier } from "../compiler/model/checked.ts";

/** Each once. Values that nothing calls, such as the origins of `cors`, are not among them. */
export const calledUrls = ({ tiers }: Pick<Compiled, "tiers">): string[] => [
  ...new Set(tiers.flatMap(({ checked }) => [...upstreamUrls(checked), ...filterUrls(checked)])),
];

/** All URLs of an upstream's configuration are addresses of its service. */
const upstreamUrls = ({ upstreams }: CheckedTier): string[] =>
  Object.values(upstreams).flatMap(({ config }) => urlsIn(config));

const urlsIn = (value: unknown): string[] => {
  if (typeof value === "string") return /^https?:\/\//.test(value) ? [value] : [];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(urlsIn) : [];
};

const filterUrls = ({ routes }: CheckedTier): string[] =>
  routes.flatMap(({ chain }) =>
    chain.flatMap(({ mode, spec, config }) => (mode === "off" ? [] : (spec.calls?.(config) ?? []))),
  );
