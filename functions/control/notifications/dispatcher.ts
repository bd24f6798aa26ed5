/** Delivers the notices in an environment's outbox to each channel, retries failed deliveries, and never blocks whoever adds a notice. */
import type { ControlPlan } from "../model/plan.ts";
import { type ChannelPorts, type NoticeChannel, noticeChannels } from "./channels.ts";
import { stateOf } from "./github.ts";
import type { DeliveryFailure, HttpPorts } from "./http-call.ts";
import type { Notice, NoticeType } from "./notification.ts";
import {
  type Channel,
  type ChannelTotals,
  type NoticeStatus,
  type Outbox,
  openOutbox,
  type PendingNotice,
} from "./outbox.ts";
import type { RolloutData } from "./payloads.ts";
import { delayAfter } from "./retry-schedule.ts";

export interface NoticePorts {
  readonly sql: SqlStorage;
  readonly setAlarm: (at: number) => Promise<void>;
  readonly plan: ControlPlan;
  readonly secrets: ChannelPorts["secrets"];
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
  const { sql, setAlarm, http, uuid } = ports;
  const { now } = http;
  const outbox = openOutbox(sql);
  const channels = noticeChannels(ports, { find: outbox.findDeployment, save: outbox.saveDeployment });
  return {
    /** Stores the notice; the alarm delivers it. */
    take: async (notice: Notice): Promise<void> => {
      for (const channel of channels) enqueue(outbox, channel, notice, now());
      await setAlarm(now());
    },
    deliver: async (): Promise<void> => {
      await Promise.all(channels.map((channel) => deliverDue(outbox, channel, ports)));
      const next = channels.flatMap(({ name, isOrdered }) => outbox.next(name, isOrdered) ?? []);
      if (next.length > 0) await setAlarm(Math.max(now(), Math.min(...next)));
    },
    status: (): { readonly channels: readonly ChannelStatus[]; readonly notices: readonly NoticeStatus[] } => ({
      channels: channels.map((channel) => ({
        channel: channel.name,
        to: channel.to,
        state: isGone(outbox, channel) ? "gone" : "on",
        ...outbox.totals(channel.name),
      })),
      notices: outbox.newest(maxShown),
    }),
    /** Tests each channel once, immediately. A receiver that accepts the test gets notices again. */
    test: (actor: string): Promise<readonly ChannelTest[]> =>
      Promise.all(
        channels.map(async (channel) => {
          const { name, to } = channel;
          const startedAt = now();
          const type: NoticeType = "postern.test";
          const data = JSON.stringify({ actor });
          const result = await channel.test({ id: `msg_test_${uuid()}`, type, at: startedAt, data });
          if (name === "webhook" && result.ok) outbox.setFact(goneFact, undefined);
          return { channel: name, to, ok: result.ok, error: result.ok ? "" : result.error, ms: now() - startedAt };
        }),
      ),
    /** Sends the notices that were given up again, as if they were new. @returns their number */
    retry: async (): Promise<number> => {
      outbox.setFact(goneFact, undefined);
      const count = channels.reduce((sum, { name }) => sum + outbox.retry(name, now()), 0);
      await setAlarm(now());
      return count;
    },
  };
};

/** Whether the receiver answered 410 at its current address. */
const isGone = (outbox: Outbox, { name, address }: NoticeChannel): boolean =>
  name === "webhook" && outbox.fact(goneFact) === address;

const enqueue = (outbox: Outbox, channel: NoticeChannel, notice: Notice, now: number): void => {
  if (channel.name === "webhook") {
    outbox.enqueue(notice, "webhook", now, isGone(outbox, channel) ? goneReason : undefined);
    return;
  }
  if (stateOf(notice) === undefined) return;
  // A rollout without a commit cannot be reported to GitHub; one entry says why.
  const hasNoCommit = (notice.data as RolloutData).commit === null;
  if (hasNoCommit && notice.type !== "rollout.started") return;
  outbox.enqueue(notice, "github", now, hasNoCommit ? noCommitReason : undefined);
};

/** Delivers a channel's due notices. A slow channel delays no other one. */
const deliverDue = async (outbox: Outbox, channel: NoticeChannel, ports: NoticePorts): Promise<void> => {
  const { now } = ports.http;
  for (let round = 0; round < maxRoundsPerAlarm; round++) {
    const due = outbox.due(channel.name, channel.isOrdered, concurrentCalls, now());
    if (due.length === 0) return;
    await Promise.all(due.map((it) => attempt(outbox, channel, it, ports)));
  }
};

const attempt = async (
  outbox: Outbox,
  channel: NoticeChannel,
  it: PendingNotice,
  ports: NoticePorts,
): Promise<void> => {
  outbox.beginAttempt(it.n, ports.http.now());
  const result = await channel.send(it);
  if (result.ok) outbox.markDelivered(it.n, channel.name);
  else recordFailure(outbox, channel, it, result, ports);
};

const recordFailure = (
  outbox: Outbox,
  { name, address }: NoticeChannel,
  it: PendingNotice,
  { error, final, retryAfterMs }: DeliveryFailure,
  { random, http }: NoticePorts,
): void => {
  if (final === "channel") {
    outbox.setFact(goneFact, address);
    outbox.giveUpAll(name, error);
    return;
  }
  const delay = final === "notice" ? undefined : delayAfter(it.attempts + 1, random(), retryAfterMs);
  if (delay === undefined) outbox.giveUp(it.n, name, error);
  else outbox.reschedule(it.n, http.now() + delay, error);
};
