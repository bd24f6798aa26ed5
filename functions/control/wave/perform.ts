/** What people ask of waves, checked against what control knows of the tiers, and written down. */
import { audited, everyTier, type Recorder } from "../audit.ts";
import type { ControlPlan } from "../plan.ts";
import { Refusal } from "../rollout/reducer.ts";
import type { WrittenRelease } from "../steps.ts";
import { membersOf } from "./members.ts";
import type { WaveAsk, WaveStart } from "./object.ts";
import type { WaveCommand } from "./reducer.ts";
import { inPlace, type Member, type Wave } from "./state.ts";

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
  /** Of a proposal: it is for this wave, and for no other. */
  readonly wave?: string | undefined;
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

export const startWave = async (plan: ControlPlan, desk: WaveDesk, body: WaveBody, by: string): Promise<Wave> => {
  const members = membersIn(plan, body);
  const { reason, concurrent, selection } = body;
  const line = { by, what: "wave start", tier: everyTier, reason, before: "null", asked: shownBody(body) };
  return audited(desk, line, () => desk.waves.start({ members, concurrent, selection, by, reason }));
};

export const askWave = async (
  desk: WaveDesk,
  command: WaveCommand,
  { reason, all, wave }: WaveCommandBody,
  by: string,
): Promise<Wave> => {
  const before = JSON.stringify((await desk.waves.status())?.why ?? null);
  const line = { by, what: `wave ${command}`, tier: everyTier, reason, before, asked: JSON.stringify({ all }) };
  return audited(desk, line, () => desk.waves.ask({ command, all, by, reason, wave }));
};

/** A proposal that a second person has approved. */
export const approvedWave = (
  plan: ControlPlan,
  desk: WaveDesk,
  what: string,
  body: WaveBody & WaveCommandBody,
  by: string,
): Promise<Wave> =>
  what === "wave start"
    ? startWave(plan, desk, body, by)
    : askWave(desk, what.replace("wave ", "") as WaveCommand, body, by);

/** What sends users of a core tier onwards takes two people; what stops it takes one. */
export const twoForStart = (members: readonly Member[]): boolean => members.some(({ level }) => level === "core");

/** @returns the wave of which a core tier is still to come; null where one person is enough */
export const twoForCommand = async (desk: WaveDesk, command: WaveCommand): Promise<Wave | null> => {
  const it = command === "resume" ? await desk.waves.status() : null;
  return it && twoForStart(inPlace(it, "waiting", "starting", "under-way")) ? it : null;
};
