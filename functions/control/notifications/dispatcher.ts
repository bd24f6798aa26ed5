/** Delivers the notices in an environment's outbox to each channel, retries failed deliveries, and never blocks whoever adds a notice. */
import type { ControlPlan } from "../model/plan.ts";
import { type DeploymentStore, type StatusLinks, sendStatus, stateOf, testGithub } from "./github.ts";
import type { DeliveryFailure, DeliveryResult, HttpPorts } from "./http-call.ts";
import type { Notice, NoticeType } from "./notification.ts";
import { type Channel, type ChannelTotals, type NoticeStatus, openOutbox, type PendingNotice } from "./outbox.ts";
import type { RolloutData } from "./payloads.ts";
import { delayAfter } from "./retry-schedule.ts";
import { sendWebhook } from "./webhook.ts";

export interface NoticePorts {
  readonly sql: SqlStorage;
  readonly setAlarm: (at: number) => Promise<void>;
  readonly plan: ControlPlan;
  readonly secrets: { readonly webhook: string | undefined; readonly github: string | undefined };
  readonly http: HttpPorts;
  readonly random: () => number;
  readonly uuid: () => string;
}

export interface ChannelStatus extends ChannelTotals {
  readonly channel: Channel;
  /** Without path and query, which may contain a secret. */
  readonly to: string;
  /** `gone`: the receiver answered 410; nothing is sent until a test succeeds. */
  readonly state: "on" | "gone";
}

export interface ChannelTest {
  readonly channel: Channel;
  readonly to: string;
  readonly ok: boolean;
  /** Empty if the test was delivered. */
  readonly error: string;
  readonly ms: number;
}

/** Concurrent calls to one channel. */
const concurrentCalls = 3;
/** Rounds per alarm; the rest is delivered at the next alarm, immediately after. */
const maxRoundsPerAlarm = 8;
const maxShown = 100;
const goneFact = "gone";
const goneReason = "the receiver has answered 410 Gone; postern notices test tries it again";
const noCommitReason = "the commit is unknown: start the rollout from a clean git checkout, or with --commit";

export const noticeDispatcher = (ports: NoticePorts) => {
  const { sql, setAlarm: wake, plan, secrets, http: outside, random } = ports;
  const { now } = outside;
  const outbox = openOutbox(sql);
  const receiver = plan.webhook === null ? undefined : { url: plan.webhook, secret: secrets.webhook };
  const repository = plan.github === null ? undefined : { ...plan.github, token: secrets.github };
  const channels: readonly Channel[] = [
    ...(receiver ? (["webhook"] as const) : []),
    ...(repository ? (["github"] as const) : []),
  ];
  const isOrdered = (channel: Channel): boolean => channel === "github";
  /** Whether the receiver answered 410 at its current address. */
  const isGone = (): boolean => receiver !== undefined && outbox.fact(goneFact) === receiver.url;

  const deployments: DeploymentStore = { find: outbox.findDeployment, save: outbox.saveDeployment };
  const linksOf = (tier: string): StatusLinks => {
    const facts = Object.hasOwn(plan.tiers, tier) ? plan.tiers[tier] : undefined;
    return {
      environment: plan.environment,
      environmentUrl: facts && `https://${facts.host}${facts.base}`,
      logUrl: `https://${plan.host}/v1/tiers/${encodeURIComponent(tier)}/rollouts`,
    };
  };

  const sendToWebhook = (it: Pick<PendingNotice, "id" | "type" | "at" | "data">): Promise<DeliveryResult> => {
    const { type, at, data } = it;
    const { environment } = plan;
    const body = JSON.stringify({ type, timestamp: new Date(at).toISOString(), environment, data: JSON.parse(data) });
    return sendWebhook(receiver as NonNullable<typeof receiver>, it.id, body, outside);
  };
  const sendToGithub = ({ type, data }: Pick<PendingNotice, "type" | "data">): Promise<DeliveryResult> => {
    const rollout = JSON.parse(data) as RolloutData;
    const target = repository as NonNullable<typeof repository>;
    return sendStatus(target, { type, data: rollout }, linksOf(rollout.tier), deployments, outside);
  };

  const recordFailure = (
    it: PendingNotice,
    channel: Channel,
    { error, final, retryAfterMs }: DeliveryFailure,
  ): void => {
    if (final === "channel") {
      outbox.keepFact(goneFact, receiver?.url);
      outbox.giveUpAll(channel, error);
      return;
    }
    const delay = final === "notice" ? undefined : delayAfter(it.attempts + 1, random(), retryAfterMs);
    if (delay === undefined) outbox.giveUp(it.n, channel, error);
    else outbox.reschedule(it.n, now() + delay, error);
  };

  const attempt = async (it: PendingNotice, channel: Channel): Promise<void> => {
    outbox.beginAttempt(it.n, now());
    const result = await (channel === "webhook" ? sendToWebhook(it) : sendToGithub(it));
    if (result.ok) outbox.markDelivered(it.n, channel);
    else recordFailure(it, channel, result);
  };

  /** Delivers a channel's due notices. A slow channel delays no other one. */
  const deliverDue = async (channel: Channel): Promise<void> => {
    for (let round = 0; round < maxRoundsPerAlarm; round++) {
      const due = outbox.due(channel, isOrdered(channel), concurrentCalls, now());
      if (due.length === 0) return;
      await Promise.all(due.map((it) => attempt(it, channel)));
    }
  };

  return {
    /** Stores the notice; the alarm delivers it. */
    take: async (notice: Notice): Promise<void> => {
      if (receiver) outbox.enqueue(notice, "webhook", now(), isGone() ? goneReason : undefined);
      // A rollout without a commit cannot be reported to GitHub; one entry says why.
      const hasNoCommit = stateOf(notice) !== undefined && (notice.data as RolloutData).commit === null;
      if (repository && stateOf(notice) !== undefined && (!hasNoCommit || notice.type === "rollout.started"))
        outbox.enqueue(notice, "github", now(), hasNoCommit ? noCommitReason : undefined);
      await wake(now());
    },
    deliver: async (): Promise<void> => {
      await Promise.all(channels.map(deliverDue));
      const next = channels.flatMap((channel) => outbox.next(channel, isOrdered(channel)) ?? []);
      if (next.length > 0) await wake(Math.max(now(), Math.min(...next)));
    },
    status: (): { readonly channels: readonly ChannelStatus[]; readonly notices: readonly NoticeStatus[] } => ({
      channels: channels.map((channel) => ({
        channel,
        to: toOf(channel, plan),
        state: channel === "webhook" && isGone() ? ("gone" as const) : ("on" as const),
        ...outbox.totals(channel),
      })),
      notices: outbox.newest(maxShown),
    }),
    /** Tests each channel once, immediately. A receiver that accepts the test gets notices again. */
    test: (actor: string): Promise<readonly ChannelTest[]> =>
      Promise.all(
        channels.map(async (channel) => {
          const startedAt = now();
          const type: NoticeType = "postern.test";
          const test = { id: `msg_test_${ports.uuid()}`, type, at: startedAt, data: JSON.stringify({ actor }) };
          const result = await (channel === "webhook"
            ? sendToWebhook(test)
            : testGithub(repository as NonNullable<typeof repository>, outside));
          if (channel === "webhook" && result.ok) outbox.keepFact(goneFact, undefined);
          return {
            channel,
            to: toOf(channel, plan),
            ok: result.ok,
            error: result.ok ? "" : result.error,
            ms: now() - startedAt,
          };
        }),
      ),
    /** Sends the notices that were given up again, as if they were new. @returns their number */
    retry: async (): Promise<number> => {
      outbox.keepFact(goneFact, undefined);
      const count = channels.reduce((sum, channel) => sum + outbox.retry(channel, now()), 0);
      await wake(now());
      return count;
    },
  };
};

const toOf = (channel: Channel, { webhook, github }: ControlPlan): string =>
  channel === "webhook" ? new URL(webhook ?? "").origin : (github?.name ?? "");
