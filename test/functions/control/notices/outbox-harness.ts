/** Test harness: an outbox over real storage, with a fake clock and a fake HTTP client. */
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import type { ControlPlan } from "../../../../functions/control/model/plan.ts";
import { noticeDispatcher } from "../../../../functions/control/notifications/dispatcher.ts";
import type { Notice } from "../../../../functions/control/notifications/notification.ts";
import type { RolloutData } from "../../../../functions/control/notifications/payloads.ts";

const namespace = (env as { readonly COUNTERS: DurableObjectNamespace }).COUNTERS;

export const secret = `whsec_${btoa("a secret of thirty-two bytes ....")}`;
export const token = "token-of-github";
export const url = "https://hooks.acme.example/postern?key=abc";
export const commit = "0123456789abcdef0123456789abcdef01234567";
export const startedAt = Date.UTC(2026, 10, 1);

export interface SentRequest {
  readonly at: number;
  readonly method: string;
  readonly url: string;
  readonly redirect: string | undefined;
  readonly headers: Headers;
  readonly body: string;
}

export type Reply = (request: SentRequest, signal: AbortSignal) => Response | Promise<Response>;

const plan = (channels: Partial<ControlPlan>): ControlPlan => ({
  environment: "production",
  host: "control.acme.example",
  operators: {},
  front: null,
  webhook: null,
  github: null,
  otlp: null,
  prometheus: null,
  scheme: "https",
  tiers: {},
  frontFacts: undefined as never,
  ...channels,
});

export const toWebhook = { webhook: { url, format: "standard" as const } };
export const toGithub = { github: { name: "acme/routes", api: "https://api.github.example" } };

export const data: RolloutData = {
  tier: "wallet",
  rollout: "1fe43f7b",
  status: "running",
  share: 10,
  steps: [0, 10, 100],
  why: "10 % of users have the new version",
  actor: null,
  startedBy: "alice",
  reason: "a test",
  commit,
  verdict: null,
};

export const notice = (id: string, more: Partial<Notice<"rollout.step">> = {}): Notice => ({
  id,
  type: "rollout.step",
  at: startedAt,
  subject: "1fe43f7b",
  data,
  ...more,
});

interface Secrets {
  readonly webhook: string;
  readonly webhookUrl?: string;
  readonly github: string;
}

export const withOutbox = async (
  channels: Partial<ControlPlan>,
  reply: Reply,
  work: (it: OutboxHarness) => Promise<void>,
  secrets: Secrets = { webhook: secret, github: token },
): Promise<void> => {
  await runInDurableObject(namespace.getByName(crypto.randomUUID()), (_, { storage }) =>
    work(openHarness(storage, channels, reply, secrets)),
  );
};

const openHarness = (storage: DurableObjectStorage, channels: Partial<ControlPlan>, reply: Reply, secrets: Secrets) => {
  let now = startedAt;
  let alarm: number | undefined;
  const sent: SentRequest[] = [];
  const scenario = { reply, late: false, channels };
  const open = () =>
    noticeDispatcher({
      sql: storage.sql,
      setAlarm: async (at) => {
        alarm = at;
      },
      plan: plan(scenario.channels),
      secrets,
      http: {
        now: () => now,
        timeout: () => (scenario.late ? AbortSignal.timeout(1) : new AbortController().signal),
        fetch: async (to, { method = "GET", headers, body, redirect, signal }) => {
          const request = {
            at: now,
            method,
            url: to,
            redirect,
            headers: new Headers(headers),
            body: String(body ?? ""),
          };
          sent.push(request);
          return scenario.reply(request, signal as AbortSignal);
        },
      },
      random: () => 0.5,
      uuid: () => crypto.randomUUID(),
    });
  let it = open();
  return {
    world: scenario,
    requests: sent,
    alarm: () => alarm,
    take: (notice: Notice) => it.take(notice),
    deliver: () => it.deliver(),
    status: () => it.status(),
    test: () => it.test("alice"),
    retry: () => it.retry(),
    /** Restarts the process over the same storage. */
    reopen: () => {
      it = open();
    },
    advance: (ms: number) => {
      now += ms;
    },
    /** Runs alarms until nothing is pending. */
    run: async (): Promise<void> => {
      for (let count = 0; alarm !== undefined && count < 1000; count++) {
        now = Math.max(now, alarm);
        alarm = undefined;
        await it.deliver();
      }
    },
  };
};

export type OutboxHarness = ReturnType<typeof openHarness>;

export const pending: Promise<never> = new Promise(() => {});
