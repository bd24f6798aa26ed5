/** Sends a notice as a signed webhook (Standard Webhooks 1.0.0). */
import { Webhook } from "standardwebhooks";
import { isPlaintext } from "../../manifest/addresses.ts";
import { type DeliveryResult, type HttpPorts, httpCall } from "./http-call.ts";

export interface WebhookReceiver {
  readonly url: string;
  /** `whsec_` and base64; two of them, separated by a space, during a rotation. */
  readonly secret: string | undefined;
}

const maxSecrets = 4;

/**
 * @param id the same at each attempt, so that the receiver recognizes a duplicate
 * @param body the exact text that is signed and sent
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
  return post(url, headers, body, secrets, http);
};

/** Posts a message to a chat's incoming webhook, whose URL is its secret: it has no signature. */
export const sendToChat = async (url: string, body: string, http: HttpPorts): Promise<DeliveryResult> => {
  return post(url, { "content-type": "application/json", "user-agent": "postern" }, body, [], http);
};

/** An address that is a secret was checked by nobody before; whoever reads it on the way can post there. */
const isAddress = (url: string): boolean => /^https?:/.test(url) && URL.canParse(url) && !isPlaintext(url);

/** Only the status of the answer matters. */
const post = async (
  url: string,
  headers: Readonly<Record<string, string>>,
  body: string,
  secrets: readonly string[],
  http: HttpPorts,
): Promise<DeliveryResult> => {
  if (!isAddress(url)) return { ok: false, error: "POSTERN_WEBHOOK_URL is not a URL that begins with https://" };
  const reply = await httpCall(http, { method: "POST", url, headers, body }, 0, [...secrets, url, new URL(url).href]);
  if (reply.ok) return { ok: true };
  return reply.status === 410 ? { ...reply, error: "answered 410 Gone", final: "channel" } : reply;
};

/** @returns an empty list if any secret is malformed */
const parseSecrets = (secret = ""): readonly string[] => {
  const all = secret.trim().split(/\s+/).slice(0, maxSecrets);
  return all.every(isSecret) ? all : [];
};

const isSecret = (text: string): boolean => {
  const [, base64 = ""] = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(text) ?? [];
  const bytes = Math.floor((base64.replaceAll("=", "").length * 3) / 4);
  return base64.length % 4 === 0 && bytes >= 24 && bytes <= 64;
};
