/** Limits the age of WebSockets, and closes them so that their clients connect again. */

import type { Handler, StreamEnd } from "../core/types.ts";
import { type StreamDeps, waitForEnd } from "./drain.ts";

export type WebSocketAge = (limits: WebSocketLimits, deps: StreamDeps) => (next: Handler) => Handler;

interface WebSocketLimits {
  readonly ageMs: number;
  /**
   * What one direction may carry: bytes, or characters of texts. The runtime reads a WebSocket as fast as it can, and does
   * not tell how much of what was sent the receiver has read, so this bounds what a receiver that does not read can make
   * the gate hold.
   */
  readonly maxCarried: number;
}

/** Service Restart: the client may connect again (RFC 6455 registry). */
const serviceRestart = [1012, "service restart"] as const;
/** Sent to the other side of a connection that broke off, or that was closed with a code that nobody may send. */
const serviceLost = [1011, "the service closed the connection"] as const;
const clientLost = [1001, "the client closed the connection"] as const;
const noCode = 1005;
/** What a message counts at least: the runtime holds also one that is empty. */
const leastCarried = 64;
/** Of a reason, which a frame carries with the code (RFC 6455, 5.5). One that is no UTF-8 is longer when decoded. */
const maxReasonBytes = 123;

/** Codes that may be sent: those that the RFC, a registry or an application defines (RFC 6455, 7.4). */
const isSendable = (code: number): boolean =>
  (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);

const sendableReason = (reason: string): string =>
  new TextEncoder().encode(reason).byteLength > maxReasonBytes ? "" : reason;

/**
 * The gate copies the messages itself: what the runtime forwards between client and service, no Worker can close. Pings
 * are answered by the runtime on each side.
 */
export const webSocketAge: WebSocketAge = (limits, deps) => (next) => async (request, context) => {
  const response = await next(request, context);
  const service = response.webSocket;
  if (!service) return response;
  const [outer, client] = Object.values(new WebSocketPair()) as [WebSocket, WebSocket];
  const ended = new AbortController();
  const close = (how: StreamEnd): void => {
    if (ended.signal.aborted) return;
    ended.abort();
    deps.recordStreamEnd?.(context.route.name, how, "websocket");
    for (const side of [client, service]) closeSide(side, serviceRestart);
  };
  copyMessages(service, client, serviceLost, limits.maxCarried, ended, close);
  copyMessages(client, service, clientLost, limits.maxCarried, ended, close);
  for (const side of [client, service]) {
    side.binaryType = "arraybuffer";
    side.accept();
  }
  waitForEnd(limits.ageMs, deps, ended.signal).then(close, () => {});
  return new Response(null, { status: response.status, headers: response.headers, webSocket: outer });
};

/**
 * Copies what one side sends to the other, and its close.
 * @param lost sent where the side breaks off without a close
 * @param ended aborts when either side has closed
 */
const copyMessages = (
  from: WebSocket,
  to: WebSocket,
  lost: readonly [code: number, reason: string],
  maxCarried: number,
  ended: AbortController,
  close: (how: StreamEnd) => void,
): void => {
  let carried = 0;
  const closeOther = (code: number, reason: string): void => {
    if (ended.signal.aborted) return;
    ended.abort();
    closeSide(to, [code, reason]);
  };
  from.addEventListener("message", ({ data }) => {
    if (ended.signal.aborted) return;
    carried += Math.max(leastCarried, typeof data === "string" ? data.length : data.byteLength);
    if (carried > maxCarried) close("full");
    else to.send(data);
  });
  from.addEventListener("close", ({ code, reason, wasClean }) => {
    if (wasClean && (code === noCode || isSendable(code))) closeOther(code, sendableReason(reason));
    else closeOther(...lost);
  });
  // Such as a message that is too large for the runtime, which closes that side itself.
  from.addEventListener("error", () => closeOther(...lost));
};

/** A side that has closed meanwhile needs no close. */
const closeSide = (side: WebSocket, [code, reason]: readonly [code: number, reason: string]): void => {
  try {
    if (code === noCode) side.close();
    else side.close(code, reason);
  } catch {}
};
