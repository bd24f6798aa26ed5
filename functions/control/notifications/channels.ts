/** The channels of an environment, webhook and GitHub: sends a notice to one of them, and tests it. */
import type { ControlPlan } from "../model/plan.ts";
import { type DeploymentStore, type StatusLinks, sendStatus, testGithub } from "./github.ts";
import type { DeliveryResult, HttpPorts } from "./http-call.ts";
import type { Channel, PendingNotice } from "./outbox.ts";
import type { RolloutData } from "./payloads.ts";
import { sendWebhook } from "./webhook.ts";

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

interface ChannelPorts {
  readonly plan: ControlPlan;
  readonly secrets: { readonly webhook: string | undefined; readonly github: string | undefined };
  readonly http: HttpPorts;
}

export const noticeChannels = (ports: ChannelPorts, deployments: DeploymentStore): readonly NoticeChannel[] => [
  ...webhookChannel(ports),
  ...githubChannel(ports, deployments),
];

const webhookChannel = ({ plan, secrets, http }: ChannelPorts): readonly NoticeChannel[] => {
  const { webhook: url, environment } = plan;
  if (url === null) return [];
  const send = ({ id, type, at, data }: SentNotice): Promise<DeliveryResult> => {
    const body = JSON.stringify({ type, timestamp: new Date(at).toISOString(), environment, data: JSON.parse(data) });
    return sendWebhook({ url, secret: secrets.webhook }, id, body, http);
  };
  return [{ name: "webhook", to: new URL(url).origin, address: url, isOrdered: false, send, test: send }];
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
        const data = JSON.parse(text) as RolloutData;
        return sendStatus(repository, { type, data }, linksOf(plan, data.tier), deployments, http);
      },
      test: () => testGithub(repository, http),
    },
  ];
};

const linksOf = ({ tiers, environment, host }: ControlPlan, tier: string): StatusLinks => {
  const facts = Object.hasOwn(tiers, tier) ? tiers[tier] : undefined;
  return {
    environment,
    environmentUrl: facts && `https://${facts.host}${facts.base}`,
    logUrl: `https://${host}/v1/tiers/${encodeURIComponent(tier)}/rollouts`,
  };
};
