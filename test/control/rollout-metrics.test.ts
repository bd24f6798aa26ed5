/** A rollout's metrics, in Prometheus' format and in OTLP, and the sample alert of docs/telemetry.md over them. */
import fs from "node:fs";
import path from "node:path";
import parse from "parse-prometheus-text-format";
import { expect, it } from "vitest";
import { parse as parseYaml } from "yaml";
import { metricsOf } from "../../functions/control/exporters/otlp/metrics.ts";
import { prometheusText } from "../../functions/control/exporters/prometheus.ts";
import type { Rollout } from "../../functions/control/model/rollout.ts";
import { rolloutStates } from "../../functions/control/model/rollout-state.ts";
import { rolloutInstruments } from "../../functions/control/rollout/instruments.ts";
import { decodeOtlp } from "./otlp.ts";
import { type SituationName, situationOf } from "./rollout-situations.ts";

const scraped = (tier: string, all: readonly Rollout[], now: number) =>
  parse(prometheusText([{ tier, instruments: rolloutInstruments(all, now) }]));

const samples = (name: string, all: ReturnType<typeof parse>) =>
  (all.find((it) => it.name === name)?.metrics ?? []).map(({ labels, value }) => ({ ...labels, value: Number(value) }));

const common = { tier: "open", rollout: "id2-0000", version: "1a7c0e55-93b2-4e55-8a43-7f0a6e3c2d10" };

it("state and verdict are 1 for one value and 0 for all others", async () => {
  const { rollout, now } = await situationOf("paused");
  const all = scraped("open", [rollout], now);
  const state = samples("postern_rollout_state", all);
  expect(state).toHaveLength(rolloutStates.length);
  expect(state.filter(({ value }) => value === 1)).toEqual([{ ...common, state: "paused", value: 1 }]);
  expect(samples("postern_rollout_state_age_seconds", all)).toEqual([{ ...common, value: 15 * 60 }]);
  expect(samples("postern_rollout_share_ratio", all)).toEqual([{ ...common, value: 0.01 }]);
  expect(samples("postern_rollout_verdict", all).filter(({ value }) => value === 1)).toEqual([
    { ...common, verdict: "not-enough", value: 1 },
  ]);
  expect(all.map(({ type }) => type)).toEqual(["GAUGE", "GAUGE", "GAUGE", "GAUGE"]);
});

it.each([
  ["held", "waiting", 0.1],
  ["failing", "returning", 0],
  ["rolled-back", "rolled-back", 0],
  ["healthy", "running", 0.1],
] as const)("%s is %s, at its share", async (situation, state, share) => {
  const { rollout, now } = await situationOf(situation);
  const all = scraped("open", [rollout], now);
  expect(samples("postern_rollout_state", all).find(({ value }) => value === 1)).toMatchObject({ state });
  expect(samples("postern_rollout_share_ratio", all)).toMatchObject([{ value: share }]);
});

it("a cutover has its route as a label; a tier without rollouts has no samples", async () => {
  const { rollout, now } = await situationOf("paused");
  const both = scraped("open", [rollout, { ...rollout, tier: "open/rates", id: "cut" }], now);
  expect(samples("postern_rollout_share_ratio", both)).toMatchObject([
    { rollout: "id2-0000" },
    { rollout: "cut", route: "rates" },
  ]);
  expect(scraped("open", [], now)).toEqual([]);
});

it("OTLP has gauges", async () => {
  const { rollout, now } = await situationOf("paused");
  const context = { environment: "production", tier: "open", paths: {}, scheme: "https", now };
  const [{ message }] = metricsOf(rolloutInstruments([rollout], now), context, new Set([common.version])) as [
    ReturnType<typeof metricsOf>[number],
  ];
  const text = JSON.stringify(decodeOtlp("metrics", JSON.stringify(message)));
  for (const part of ['"postern.rollout.state"', '"gauge":{"dataPoints"', '"postern.state"', '"postern.rollout"'])
    expect(text).toContain(part);
  expect(text).not.toContain('"sum"');
});

/** The rule of the documentation, read as Prometheus reads it: YAML, and an expression over selectors. */
it("the documented alert selects a paused rollout, and nothing of a healthy one", async () => {
  const page = fs.readFileSync(path.join(import.meta.dirname, "../../docs/telemetry.md"), "utf8");
  const [, text = ""] = /```yaml\n(groups:[\s\S]*?)```/.exec(page) ?? [];
  const { groups } = parseYaml(text) as {
    groups: {
      name: string;
      rules: { alert: string; expr: string; for: string; annotations: Record<string, string> }[];
    }[];
  };
  const rules = groups.flatMap((group) => group.rules);
  expect(rules.map(({ alert }) => alert)).toEqual(["RolloutPaused", "RolloutWaits"]);
  for (const rule of rules) {
    expect(Object.keys(rule).sort()).toEqual(["alert", "annotations", "expr", "for", "labels"]);
    expect(rule.for).toMatch(/^\d+[mh]$/);
    const [, by = "", name = "", matcher = "", value = ""] =
      /^max by \(([\w, ]+)\) \((\w+)\{state="([\w-]+)"\}\) == (1)$/.exec(rule.expr) ?? [];
    expect(value).toBe("1");
    const selected = async (situation: SituationName) => {
      const { rollout, now } = await situationOf(situation);
      return samples(name, scraped("open", [rollout], now)).filter(
        (it) => "state" in it && it.state === matcher && it.value === 1,
      );
    };
    const firing = await selected(rule.alert === "RolloutPaused" ? "paused" : "held");
    expect(firing).toHaveLength(1);
    // A paused rollout has each label that the rule groups by or names, but the route, which only cutovers have.
    for (const label of [
      ...by.split(", "),
      ...[...JSON.stringify(rule.annotations).matchAll(/\$labels\.(\w+)/g)].map(([, it]) => it),
    ])
      if (label !== "route") expect(Object.keys(firing[0] ?? {})).toContain(label);
    expect(await selected("healthy")).toEqual([]);
  }
});
