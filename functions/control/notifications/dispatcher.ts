/** The outbox of an environment at work: tells each channel what waits, again where it was not heard, and never makes a teller wait. */
import type { ControlPlan } from "../model/plan.ts";
import { type Deployments, type Places, sendStatus, stateOf, testGithub } from "./github.ts";
import type { Heard, Outside, Unheard } from "./http-call.ts";
import type { Notice, NoticeType } from "./notification.ts";
import { type Channel, outboxOn, type Shown, type Totals, type Waiting } from "./outbox.ts";
import type { RolloutData } from "./payloads.ts";
import { delayAfter } from "./retry-schedule.ts";
import { sendWebhook } from "./webhook.ts";

export interface Ports {
  readonly sql: SqlStorage;
  readonly wake: (at: number) => Promise<void>;
  readonly plan: ControlPlan;
  readonly secrets: { readonly webhook: string | undefined; readonly github: string | undefined };
  readonly outside: Outside;
  readonly random: () => number;
  readonly uuid: () => string;
}

export interface Standing extends Totals {
  readonly channel: Channel;
  /** Without path and query, which may be somebody's secret. */
  readonly to: string;
  /** `gone`: it answered 410, and hears nothing more until a test is heard there. */
  readonly state: "on" | "gone";
}

export interface Tested {
  readonly channel: Channel;
  readonly to: string;
  readonly ok: boolean;
  /** Empty where it was heard. */
  readonly error: string;
  readonly ms: number;
}

/** Calls at once to one channel. */
const together = 3;
/** Of one wake; what is left wakes it again at once. */
const mostRounds = 8;
const mostShown = 100;
const gone = "gone";
const goneWhy = "the receiver has answered 410 Gone; postern notices test asks it again";
const noCommit = "no commit is known: start the rollout from a clean git checkout, or with --commit";

export const notices = (ports: Ports) => {
  const { sql, wake, plan, secrets, outside, random } = ports;
  const { now } = outside;
  const outbox = outboxOn(sql);
  const receiver = plan.webhook === null ? undefined : { url: plan.webhook, secret: secrets.webhook };
  const repository = plan.github === null ? undefined : { ...plan.github, token: secrets.github };
  const channels: readonly Channel[] = [
    ...(receiver ? (["webhook"] as const) : []),
    ...(repository ? (["github"] as const) : []),
  ];
  const isOrdered = (channel: Channel): boolean => channel === "github";
  /** Who answered 410 at this address hears nothing more; at another one it does. */
  const isGone = (): boolean => receiver !== undefined && outbox.fact(gone) === receiver.url;

  const deployments: Deployments = { known: outbox.deployment, keep: outbox.keepDeployment };
  const placesOf = (tier: string): Places => {
    const facts = Object.hasOwn(plan.tiers, tier) ? plan.tiers[tier] : undefined;
    return {
      environment: plan.environment,
      environmentUrl: facts && `https://${facts.host}${facts.base}`,
      logUrl: `https://${plan.host}/v1/tiers/${encodeURIComponent(tier)}/rollouts`,
    };
  };

  const webhook = (it: Pick<Waiting, "id" | "type" | "at" | "data">): Promise<Heard> => {
    const { type, at, data } = it;
    const { environment } = plan;
    const body = JSON.stringify({ type, timestamp: new Date(at).toISOString(), environment, data: JSON.parse(data) });
    return sendWebhook(receiver as NonNullable<typeof receiver>, it.id, body, outside);
  };
  const github = ({ type, data }: Pick<Waiting, "type" | "data">): Promise<Heard> => {
    const told = JSON.parse(data) as RolloutData;
    const to = repository as NonNullable<typeof repository>;
    return sendStatus(to, { type, data: told }, placesOf(told.tier), deployments, outside);
  };

  const failed = (it: Waiting, channel: Channel, { error, final, retryAfterMs }: Unheard): void => {
    if (final === "channel") {
      outbox.keepFact(gone, receiver?.url);
      outbox.giveUpAll(channel, error);
      return;
    }
    const delay = final === "notice" ? undefined : delayAfter(it.attempts + 1, random(), retryAfterMs);
    if (delay === undefined) outbox.giveUp(it.n, channel, error);
    else outbox.again(it.n, now() + delay, error);
  };

  const attempt = async (it: Waiting, channel: Channel): Promise<void> => {
    outbox.begin(it.n, now());
    const heard = await (channel === "webhook" ? webhook(it) : github(it));
    if (heard.ok) outbox.heard(it.n, channel);
    else failed(it, channel, heard);
  };

  /** A channel that is slow keeps no other one. */
  const tellAll = async (channel: Channel): Promise<void> => {
    for (let round = 0; round < mostRounds; round++) {
      const due = outbox.due(channel, isOrdered(channel), together, now());
      if (due.length === 0) return;
      await Promise.all(due.map((it) => attempt(it, channel)));
    }
  };

  return {
    /** Only writes it down. */
    take: async (notice: Notice): Promise<void> => {
      if (receiver) outbox.put(notice, "webhook", now(), isGone() ? goneWhy : undefined);
      // Of a rollout that GitHub cannot hear of, it is said once why.
      const blind = stateOf(notice) !== undefined && (notice.data as RolloutData).commit === null;
      if (repository && stateOf(notice) !== undefined && (!blind || notice.type === "rollout.started"))
        outbox.put(notice, "github", now(), blind ? noCommit : undefined);
      await wake(now());
    },
    look: async (): Promise<void> => {
      await Promise.all(channels.map(tellAll));
      const next = channels.flatMap((channel) => outbox.next(channel, isOrdered(channel)) ?? []);
      if (next.length > 0) await wake(Math.max(now(), Math.min(...next)));
    },
    status: (): { readonly channels: readonly Standing[]; readonly notices: readonly Shown[] } => ({
      channels: channels.map((channel) => ({
        channel,
        to: toOf(channel, plan),
        state: channel === "webhook" && isGone() ? ("gone" as const) : ("on" as const),
        ...outbox.totals(channel),
      })),
      notices: outbox.newest(mostShown),
    }),
    /** Asks each channel at once, and once. A receiver that hears it is told again what happens. */
    test: (actor: string): Promise<readonly Tested[]> =>
      Promise.all(
        channels.map(async (channel) => {
          const began = now();
          const type: NoticeType = "postern.test";
          const test = { id: `msg_test_${ports.uuid()}`, type, at: began, data: JSON.stringify({ actor }) };
          const heard = await (channel === "webhook"
            ? webhook(test)
            : testGithub(repository as NonNullable<typeof repository>, outside));
          if (channel === "webhook" && heard.ok) outbox.keepFact(gone, undefined);
          return {
            channel,
            to: toOf(channel, plan),
            ok: heard.ok,
            error: heard.ok ? "" : heard.error,
            ms: now() - began,
          };
        }),
      ),
    /** What was given up is told once more, as if it were new. @returns how many */
    retry: async (): Promise<number> => {
      outbox.keepFact(gone, undefined);
      const count = channels.reduce((sum, channel) => sum + outbox.retry(channel, now()), 0);
      await wake(now());
      return count;
    },
  };
};

const toOf = (channel: Channel, { webhook, github }: ControlPlan): string =>
  channel === "webhook" ? new URL(webhook ?? "").origin : (github?.name ?? "");
