/** The channels of an environment, webhook and GitHub: sends a notice to one of them, and tests it. */
import type { ControlPlan } from "../model/plan.ts";
import { evidencePath, optionsFor } from "../model/rollout-state.ts";
import { chatBody, chatMessageOf } from "./chat.ts";
import { type DeploymentStore, type StatusLinks, sendStatus, testGithub } from "./github.ts";
import type { DeliveryResult, HttpPorts } from "./http-call.ts";
import type { Channel, PendingNotice } from "./outbox.ts";
import type { RolloutData } from "./payloads.ts";
import { sendToChat, sendWebhook } from "./webhook.ts";

export type SentNotice = Pick<PendingNotice, "id" | "type" | "at" | "data">;

export interface NoticeChannel {
  readonly name: Channel;
  /** Where it sends to, without path and query, which may contain a secret. */
  readonly to: string;
  /** The address that a 410 answer is remembered for. */
  readonly address: string;
  /** Whether a later notice of a subject waits for an earlier one. */
  readonly isOrdered: boolean;
  readonly send: (notice: SentNotice) => Promise<DeliveryResult>;
  /** Tests the channel with a notice, where the channel takes one. */
  readonly test: (notice: SentNotice) => Promise<DeliveryResult>;
}

export interface ChannelPorts {
  readonly plan: ControlPlan;
  readonly secrets: {
    readonly webhook: string | undefined;
    /** The webhook's URL, where the environment file has none. */
    readonly webhookUrl?: string | undefined;
    readonly github: string | undefined;
  };
  readonly http: HttpPorts;
}

export const noticeChannels = (ports: ChannelPorts, deployments: DeploymentStore): readonly NoticeChannel[] => [
  ...webhookChannel(ports),
  ...githubChannel(ports, deployments),
];

const webhookChannel = ({ plan, secrets, http }: ChannelPorts): readonly NoticeChannel[] => {
  if (plan.webhook === null) return [];
  const { environment } = plan;
  const { format, url = secrets.webhookUrl?.trim() ?? "" } = plan.webhook;
  const send = ({ id, type, at, data: text }: SentNotice): Promise<DeliveryResult> => {
    const data = completed(JSON.parse(text), plan);
    if (format !== "standard")
      return sendToChat(url, JSON.stringify(chatBody(format, chatMessageOf(type, environment, data))), http);
    const body = JSON.stringify({ type, timestamp: new Date(at).toISOString(), environment, data });
    return sendWebhook({ url, secret: secrets.webhook }, id, body, http);
  };
  const to = URL.canParse(url) ? new URL(url).origin : "POSTERN_WEBHOOK_URL";
  return [{ name: "webhook", to, address: url, isOrdered: false, send, test: send }];
};

const githubChannel = (
  { plan, secrets, http }: ChannelPorts,
  deployments: DeploymentStore,
): readonly NoticeChannel[] => {
  if (plan.github === null) return [];
  const repository = { ...plan.github, token: secrets.github };
  return [
    {
      name: "github",
      to: repository.name,
      address: repository.name,
      isOrdered: true,
      send: ({ type, data: text }) => {
        const data = completed(JSON.parse(text) as RolloutData, plan);
        return sendStatus(repository, { type, data }, linksOf(plan, data), deployments, http);
      },
      test: () => testGithub(repository, http),
    },
  ];
};

/** Adds what a rollout or a wave does not know itself: the options of commands for this environment, and the URL of the evidence. */
const completed = <T>(data: T, { environment, host }: Pick<ControlPlan, "environment" | "host">): T => {
  const { tier, rollout: id, next = [] } = data as Partial<RolloutData>;
  const options = optionsFor(environment);
  return {
    ...data,
    ...(next.length > 0 && { next: next.map(({ command, does }) => ({ command: `${command}${options}`, does })) }),
    ...(tier !== undefined && id !== undefined && { url: `https://${host}${evidencePath({ tier, id })}` }),
  };
};

const linksOf = ({ tiers, environment }: ControlPlan, { tier, url }: RolloutData): StatusLinks => {
  const facts = Object.hasOwn(tiers, tier) ? tiers[tier] : undefined;
  return { environment, environmentUrl: facts && `https://${facts.host}${facts.base}`, logUrl: url };
};
