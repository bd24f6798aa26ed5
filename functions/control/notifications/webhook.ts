/** Tells a receiver by a signed webhook, as Standard Webhooks has it (standardwebhooks.com, version 1.0.0). */
import { Webhook } from "standardwebhooks";
import { type DeliveryResult, type HttpPorts, httpCall } from "./http-call.ts";

export interface WebhookReceiver {
  readonly url: string;
  /** `whsec_` and base64; two of them, apart by a space, while one replaces the other. */
  readonly secret: string | undefined;
}

const maxSecrets = 4;

/**
 * @param id the same at each attempt: the receiver knows by it what it has heard
 * @param body what is signed is what is sent
 */
export const sendWebhook = async (
  { url, secret }: WebhookReceiver,
  id: string,
  body: string,
  http: HttpPorts,
): Promise<DeliveryResult> => {
  const secrets = parseSecrets(secret);
  if (secrets.length === 0)
    return { ok: false, error: "POSTERN_WEBHOOK_SECRET is not whsec_ and the base64 of 24 to 64 bytes" };
  const at = new Date(http.now());
  const headers = {
    "content-type": "application/json",
    "user-agent": "postern",
    "webhook-id": id,
    "webhook-timestamp": String(Math.floor(at.getTime() / 1000)),
    "webhook-signature": secrets.map((it) => new Webhook(it).sign(id, at, body)).join(" "),
  };
  // What a receiver says beside its status is of no use here.
  const reply = await httpCall(http, { method: "POST", url, headers, body }, 0, [...secrets, url]);
  if (reply.ok) return { ok: true };
  return reply.status === 410 ? { ...reply, error: "answered 410 Gone", final: "channel" } : reply;
};

/** @returns none where one of them is none */
const parseSecrets = (secret = ""): readonly string[] => {
  const all = secret.trim().split(/\s+/).slice(0, maxSecrets);
  return all.every(isSecret) ? all : [];
};

const isSecret = (text: string): boolean => {
  const [, base64 = ""] = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(text) ?? [];
  const bytes = Math.floor((base64.replaceAll("=", "").length * 3) / 4);
  return base64.length % 4 === 0 && bytes >= 24 && bytes <= 64;
};
