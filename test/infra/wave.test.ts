/** Which tiers a wave reaches, and how it is shown. */
import { expect, it } from "vitest";
import type { TierFacts } from "../../functions/control/model/plan.ts";
import type { Member, Wave } from "../../functions/control/model/wave.ts";
import { waveNextSteps } from "../../functions/control/model/wave-next.ts";
import { membersOf } from "../../functions/control/wave/members.ts";
import { waveText } from "../../infra/commands/operate/wave-view.ts";
import { type SelectionOptions, selectTiers } from "../../infra/release/wave-selection.ts";
import { compileProject, manifest } from "../e2e/project.ts";

const tier = (name: string, more: string) =>
  manifest(name, `${more}routes:\n  it: { match: GET /it, respond: { status: 200 } }\n`);

const made = () =>
  compileProject({
    "routes/news.yaml": tier("news", "level: best-effort\nlabels: { app: mobile, region: eu }\n"),
    "routes/maps.yaml": tier("maps", "labels: { app: mobile, region: us }\n"),
    "routes/small.yaml": tier("small", "isolation: shared\n"),
    "routes/tiny.yaml": tier("tiny", "isolation: shared\n"),
    "routes/hot.yaml": tier("hot", "entry: zone\nlabels: { app: mobile }\n"),
  });

const chosen = (selection: SelectionOptions) => {
  const said: string[] = [];
  const { tiers, selection: text } = selectTiers(made(), selection, (line) => said.push(line));
  return { tiers: tiers.map(({ tier }) => tier).sort(), text, said };
};

it("is chosen by labels, which must all be there, by level, or all of them", () => {
  expect(chosen({ label: ["app=mobile"] }).tiers).toEqual(["maps", "news"]);
  expect(chosen({ label: ["app=mobile", "region=eu"] })).toMatchObject({
    tiers: ["news"],
    text: "--label app=mobile --label region=eu",
  });
  expect(chosen({ label: ["app=mobile"], level: "standard" }).tiers).toEqual(["maps"]);
  expect(chosen({ all: true }).tiers).toEqual(["maps", "news", "small", "tiny"]);
});

it("warns about tiers that cannot be split", () => {
  expect(chosen({ all: true }).said).toEqual(["skipped, because `entry: zone` cannot be split: hot"]);
});

it("knows the gates of each, shared ones too", () => {
  const { tiers } = selectTiers(made(), { all: true }, () => {});
  expect(Object.fromEntries(tiers.map(({ tier, workers }) => [tier, workers]))).toMatchObject({
    news: ["gate-news-local"],
    small: ["gate-shared-local"],
    tiny: ["gate-shared-local"],
  });
});

it.each<[string, SelectionOptions, string]>([
  ["nothing", {}, "select tiers by --all, or by --label key=value and --level"],
  ["all and a label", { all: true, label: ["a=b"] }, "select tiers by --all"],
  ["a label without a value", { label: ["app"] }, "write a label as app=mobile, not app"],
  [
    "a label that nobody has",
    { label: ["app=tv"] },
    "no tier matches --label app=tv; labels are app=mobile, region=eu, region=us",
  ],
])("%s is refused with what to write instead", (_, selection, message) => {
  expect(() => chosen(selection)).toThrow(message);
});

it("is shown tier by tier, and what failed is never among those that are left out", () => {
  const names = Array.from({ length: 60 }, (_, nth) => `t${String(nth).padStart(2, "0")}`);
  const facts = (tier: string) =>
    ({ level: "standard", workers: [`gate-${tier}`], release: {} }) as unknown as TierFacts;
  const known = { tiers: Object.fromEntries(names.map((tier) => [tier, facts(tier)])) };
  const members = membersOf(known, names).map((member, nth): Member => {
    if (nth === 59) return { ...member, place: "failed", rollout: "r59", why: "errors: 2 % against 0" };
    return nth === 1 ? { ...member, place: "under-way", share: 50, waits: true, why: "not enough" } : member;
  });
  const wave: Wave = {
    id: "w1",
    by: "alice",
    reason: "why",
    selection: "--all",
    concurrent: 3,
    startedAt: 0,
    endedAt: null,
    status: "stopping",
    why: "t59 failed",
    members,
    notes: [],
  };
  const text = waveText(wave, " --env staging");
  expect(text).toContain("STOPPING  t59 failed");
  expect(text).toMatch(/t59 +={20} +0 % +failed +errors: 2 % against 0\n/);
  expect(text).toMatch(/t01 +={10}#{10} +50 % +waits for a person +not enough\n/);
  expect(text).toContain("and 20 more");
  const next = (status: Wave["status"]) => waveNextSteps({ ...wave, status }, " --env staging").map((it) => it.command);
  expect(text).toContain("npx postern rollout show t59 r59 --env staging");
  expect(next("failed")).toEqual([
    "npx postern rollout show t59 r59 --env staging",
    "npx postern wave resume --env staging",
  ]);
  expect(next("running")[0]).toBe("npx postern rollout status t01 --env staging");
  expect(next("paused")).toContain("npx postern wave resume --env staging");
  expect(next("promoted")).toEqual(["npx postern wave abort --all --env staging"]);
  expect(next("aborted")).toEqual([]);
  const watched = wave.members.map((it) => ({ ...it, place: "promoted", waits: false, watched: true }) as const);
  expect(waveNextSteps({ ...wave, status: "running", members: watched }).map((it) => it.command)).toEqual([
    "npx postern wave watch",
    "npx postern wave abort --all",
  ]);
});
