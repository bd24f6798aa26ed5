/** The webhook of an environment's control plane, as its plan and its secrets have it. */
import type { ControlPlan } from "../../../functions/control/model/plan.ts";
import type { Environment } from "../../../functions/manifest/environment.ts";

type WebhookSettings = Pick<NonNullable<Environment["control"]>, "webhook">;

export const webhookOf = ({ webhook }: WebhookSettings): ControlPlan["webhook"] => {
  if (webhook === undefined) return null;
  if (typeof webhook === "string") return { url: webhook, format: "standard" };
  return "url" in webhook ? webhook : { format: webhook.format };
};

/** The address, if it is a secret, and the key of signatures, which a chat does not know. */
export const webhookSecrets = (settings: WebhookSettings): string[] => [
  ...(typeof settings.webhook === "object" && "secret" in settings.webhook ? [settings.webhook.secret] : []),
  ...(webhookOf(settings)?.format === "standard" ? ["POSTERN_WEBHOOK_SECRET"] : []),
];
