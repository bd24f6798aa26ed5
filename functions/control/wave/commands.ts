/** Commands on waves: checked against the tiers' facts and recorded in the audit log. */

import { type AuditPorts, allTiers, withAudit } from "../audit/record.ts";
import type { ApprovalScope } from "../model/approval.ts";
import type { ControlPlan, ReleaseFacts, TierFacts } from "../model/plan.ts";
import { Refusal } from "../model/refusal.ts";
import type { ReleaseConfig } from "../model/release-config.ts";
import type { Candidate } from "../model/rollout.ts";
import { type Member, membersAt, type Wave } from "../model/wave.ts";
import { membersOf } from "./members.ts";
import type { WaveCommandRequest, WaveStartRequest } from "./ports.ts";
import type { WaveCommand } from "./reducer.ts";

/** The methods of the waves' Durable Object, as the admin API calls them. */
export interface WaveCalls {
  readonly status: () => Promise<Wave | null>;
  /** Newest first. */
  readonly history: () => Promise<readonly Wave[]>;
  /** @throws Refusal if a wave could not start now */
  readonly check: (request: Pick<WaveStartRequest, "members">) => Promise<void>;
  /** @throws Refusal */
  readonly start: (request: WaveStartRequest) => Promise<Wave>;
  /** @throws Refusal */
  readonly ask: (request: WaveCommandRequest) => Promise<Wave>;
}

export interface WaveCommandPorts extends AuditPorts {
  readonly waves: WaveCalls;
  /**
   * What a start would release now.
   * @param retry also a version that came back from the last rollout
   * @throws Refusal if there is nothing to release
   */
  readonly candidates: (tier: string, facts: ReleaseFacts, retry?: boolean) => Promise<readonly Candidate[]>;
}

export interface WaveBody {
  readonly reason: string;
  readonly tiers: readonly string[];
  readonly releases: Readonly<Record<string, ReleaseConfig>>;
  readonly concurrent: number;
  readonly selection: string;
}

export interface WaveCommandBody {
  readonly reason: string;
  readonly all: boolean;
}

/** The body as recorded in the audit log, without the releases: they are long, and the manifests have them. */
const auditBody = ({ tiers, concurrent, selection }: WaveBody) => JSON.stringify({ tiers, concurrent, selection });

/** @throws Refusal for an unknown tier */
export const membersFor = (plan: Pick<ControlPlan, "tiers">, { tiers, releases }: WaveBody): Member[] => {
  const unknown = tiers.filter((tier) => !Object.hasOwn(plan.tiers, tier));
  if (unknown.length > 0)
    throw new Refusal(`control does not know ${unknown.slice(0, 10).join(", ")}: npx postern deploy control`);
  return membersOf(plan, tiers, releases);
};

/** @param approved the approved versions of the Workers of core tiers */
export const startWave = async (
  plan: ControlPlan,
  ports: WaveCommandPorts,
  body: WaveBody,
  by: string,
  approved?: ApprovalScope,
): Promise<Wave> => {
  const members = membersFor(plan, body).map((it) =>
    approved && it.level === "core" ? { ...it, approved: versionsOf(plan, it, approved) } : it,
  );
  const { reason, concurrent, selection } = body;
  const entry = { by, what: "wave start", tier: allTiers, reason, before: "null", asked: auditBody(body) };
  return withAudit(ports, entry, () => ports.waves.start({ members, concurrent, selection, by, reason }));
};

/** @throws Refusal for a tier that was not core when the wave was approved */
const versionsOf = ({ tiers }: ControlPlan, { tier }: Member, { versions }: ApprovalScope): readonly Candidate[] => {
  const workers = tiers[tier]?.workers ?? [];
  const own = versions.filter(({ worker }) => workers.includes(worker));
  if (own.length === 0) throw new Refusal(`what was approved names no version of ${tier}: propose it again`);
  return own;
};

/** Concurrent calls to the platform. */
const concurrentCalls = 10;

/** The scope of an approval: the versions of the wave's core tiers. @throws Refusal */
export const waveScope = async (
  { tiers }: ControlPlan,
  ports: WaveCommandPorts,
  members: readonly Member[],
): Promise<ApprovalScope> => {
  const core = members.filter(({ level }) => level === "core");
  const versions: Candidate[] = [];
  for (let from = 0; from < core.length; from += concurrentCalls) {
    const some = core.slice(from, from + concurrentCalls);
    const found = some.map(({ tier }) => ports.candidates(tier, tiers[tier] as TierFacts, true));
    versions.push(...(await Promise.all(found)).flat());
  }
  return { versions, commit: null };
};

export const commandWave = async (
  ports: WaveCommandPorts,
  command: WaveCommand,
  { reason, all }: WaveCommandBody,
  by: string,
  approved?: ApprovalScope,
): Promise<Wave> => {
  const before = JSON.stringify((await ports.waves.status())?.why ?? null);
  const entry = { by, what: `wave ${command}`, tier: allTiers, reason, before, asked: JSON.stringify({ all }) };
  return withAudit(ports, entry, () => ports.waves.ask({ command, all, by, reason, approved: approved?.wave }));
};

/** For a core tier, commands that expose more users require two people; commands that stop require one. */
export const startNeedsTwoPeople = (members: readonly Member[]): boolean =>
  members.some(({ level }) => level === "core");

/** @returns the wave if a core tier is still to be released; null if one person is enough */
export const waveThatNeedsTwoPeople = async (ports: WaveCommandPorts, command: WaveCommand): Promise<Wave | null> => {
  const it = command === "resume" ? await ports.waves.status() : null;
  return it && startNeedsTwoPeople(membersAt(it, "waiting", "starting", "under-way")) ? it : null;
};
