/** The law suite: rules for every registered part. */
import { describe, expect, it } from "vitest";
import { filters } from "../../functions/filters/registry.gen.ts";
import type { FilterModule, UpstreamModule } from "../../functions/gateway/part.ts";
import { laws } from "../../functions/testing/laws.ts";
import { upstreams } from "../../functions/upstreams/registry.gen.ts";
import { fakeDeps } from "./gate-harness.ts";

const parts: readonly (readonly [string, string, FilterModule | UpstreamModule])[] = [
  ...Object.entries(filters).map(([name, module]) => ["filter", name, module] as const),
  ...Object.entries(upstreams).map(([name, module]) => ["upstream", name, module] as const),
];

describe.each(parts)("%s %s", (_, name, module) => {
  // With real Durable Objects.
  const all = laws(name, module, { deps: (over) => fakeDeps(over) });

  it.each(all.map((law) => [law.name, law] as const))("%s", (_name, { run }) => run());

  it("has laws", () => {
    expect(all.length).toBeGreaterThanOrEqual(7);
  });
});

it.each(["cors", "headers", "redirect", "respond", "rewrite"])(
  "%s answers or edits requests, so no overlay may enforce it",
  (name) => {
    expect(filters[name]?.spec()).not.toHaveProperty("enforcing");
  },
);
