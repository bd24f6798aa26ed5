/** What people ask of waves, checked against what control knows of the tiers, and written down. */

import { audited, everyTier, type Recorder } from "../audit/record.ts";
import type { Bound } from "../model/approval.ts";
import type { ControlPlan, TierFacts } from "../model/plan.ts";
import { Refusal } from "../model/refusal.ts";
import type { Candidate } from "../model/rollout.ts";
import { inPlace, type Member, type Wave } from "../model/wave.ts";
import type { WrittenRelease } from "../model/written-release.ts";
import type { WaveAsk, WaveStart } from "./controller.ts";
import { membersOf } from "./members.ts";
import type { WaveCommand } from "./reducer.ts";

/** What the admin API asks of the object of waves. */
export interface WaveCalls {
  readonly status: () => Promise<Wave | null>;
  /** Newest first. */
  readonly history: () => Promise<readonly Wave[]>;
  /** @throws Refusal where it could not begin now */
  readonly check: (given: Pick<WaveStart, "members">) => Promise<void>;
  /** @throws Refusal */
  readonly start: (given: WaveStart) => Promise<Wave>;
  /** @throws Refusal */
  readonly ask: (given: WaveAsk) => Promise<Wave>;
}

export interface WaveDesk extends Recorder {
  readonly waves: WaveCalls;
  /** What a start would release now. @throws Refusal where there is nothing */
  readonly candidates: (tier: string, facts: TierFacts) => Promise<readonly Candidate[]>;
}

export interface WaveBody {
  readonly reason: string;
  readonly tiers: readonly string[];
  readonly releases: Readonly<Record<string, WrittenRelease>>;
  readonly concurrent: number;
  readonly selection: string;
}

export interface WaveCommandBody {
  readonly reason: string;
  readonly all: boolean;
}

/** What is written down of it: releases are many, and manifests have them. */
const shownBody = ({ tiers, concurrent, selection }: WaveBody) => JSON.stringify({ tiers, concurrent, selection });

/** @throws Refusal for a tier that control does not know */
export const membersIn = (plan: Pick<ControlPlan, "tiers">, { tiers, releases }: WaveBody): Member[] => {
  const unknown = tiers.filter((tier) => !Object.hasOwn(plan.tiers, tier));
  if (unknown.length > 0)
    throw new Refusal(`control does not know ${unknown.slice(0, 10).join(", ")}: npx postern deploy control`);
  return membersOf(plan, tiers, releases);
};

/** @param approved the versions that a second person approved, of each Worker of a core tier */
export const startWave = async (
  plan: ControlPlan,
  desk: WaveDesk,
  body: WaveBody,
  by: string,
  approved?: Bound,
): Promise<Wave> => {
  const members = membersIn(plan, body).map((it) =>
    approved && it.level === "core" ? { ...it, approved: versionsOf(plan, it, approved) } : it,
  );
  const { reason, concurrent, selection } = body;
  const line = { by, what: "wave start", tier: everyTier, reason, before: "null", asked: shownBody(body) };
  return audited(desk, line, () => desk.waves.start({ members, concurrent, selection, by, reason }));
};

/** @throws Refusal for a tier that was not core when the wave was approved */
const versionsOf = ({ tiers }: ControlPlan, { tier }: Member, { versions }: Bound): readonly Candidate[] => {
  const workers = tiers[tier]?.workers ?? [];
  const own = versions.filter(({ worker }) => workers.includes(worker));
  if (own.length === 0) throw new Refusal(`what was approved names no version of ${tier}: propose it anew`);
  return own;
};

/** Calls to the platform at once. */
const atOnce = 10;

/** What a second person approves: the versions of the wave's core tiers. @throws Refusal */
export const boundWave = async ({ tiers }: ControlPlan, desk: WaveDesk, members: readonly Member[]): Promise<Bound> => {
  const core = members.filter(({ level }) => level === "core");
  const versions: Candidate[] = [];
  for (let from = 0; from < core.length; from += atOnce) {
    const some = core.slice(from, from + atOnce);
    const found = some.map(({ tier }) => desk.candidates(tier, tiers[tier] as TierFacts));
    versions.push(...(await Promise.all(found)).flat());
  }
  return { versions, commit: null };
};

export const askWave = async (
  desk: WaveDesk,
  command: WaveCommand,
  { reason, all }: WaveCommandBody,
  by: string,
  approved?: Bound,
): Promise<Wave> => {
  const before = JSON.stringify((await desk.waves.status())?.why ?? null);
  const line = { by, what: `wave ${command}`, tier: everyTier, reason, before, asked: JSON.stringify({ all }) };
  return audited(desk, line, () => desk.waves.ask({ command, all, by, reason, approved: approved?.wave }));
};

/** What sends users of a core tier onwards takes two people; what stops it takes one. */
export const twoForStart = (members: readonly Member[]): boolean => members.some(({ level }) => level === "core");

/** @returns the wave of which a core tier is still to come; null where one person is enough */
export const twoForCommand = async (desk: WaveDesk, command: WaveCommand): Promise<Wave | null> => {
  const it = command === "resume" ? await desk.waves.status() : null;
  return it && twoForStart(inPlace(it, "waiting", "starting", "under-way")) ? it : null;
};
