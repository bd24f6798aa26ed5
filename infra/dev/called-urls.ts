/** The URLs that gates call: those of upstreams, and those that filters call, such as an issuer's keys. */
import type { Compiled } from "../compiler/compile.ts";
import type { CheckedTier } from "../compiler/model/checked.ts";

/** Each once. Values that nothing calls, such as the origins of `cors`, are not among them. */
export const calledUrls = ({ tiers }: Pick<Compiled, "tiers">): string[] => [
  ...new Set(tiers.flatMap(({ checked }) => [...upstreamUrls(checked), ...filterUrls(checked)])),
];

const upstreamUrls = ({ upstreams }: CheckedTier): string[] =>
  Object.values(upstreams).flatMap(({ spec, config }) => spec.security?.(config).endpoint?.url ?? []);

const filterUrls = ({ routes }: CheckedTier): string[] =>
  routes.flatMap(({ chain }) =>
    chain.flatMap(({ mode, spec, config }) => (mode === "off" ? [] : (spec.calls?.(config) ?? []))),
  );
