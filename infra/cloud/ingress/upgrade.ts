/** Forwards the handshake of a WebSocket to a machine, and joins the two connections. */
import type http from "node:http";
import type { Duplex } from "node:stream";
import { pipeline } from "node:stream/promises";
import { callMachine, decideForward, type ForwardOptions } from "./forward.ts";
import { forwardedResponseHeaders } from "./message.ts";
import { refusal } from "./refusals.ts";
import { badGateway, refuseUpgrade, writeHead } from "./send-refusal.ts";

const upgradeHeaders = ["Connection", "Upgrade", "Upgrade", "websocket"];

/** @param head bytes that the client sent behind its handshake */
export const forwardUpgrade = async (
  request: http.IncomingMessage,
  socket: Duplex,
  head: Buffer,
  options: ForwardOptions,
): Promise<unknown> => {
  const decision = await decideForward(request, options);
  if (!("forwarded" in decision)) return refuseUpgrade(socket, decision);
  if (decision.forwarded.hasBody && request.headers["content-length"] !== "0")
    return refuseUpgrade(socket, refusal("request-malformed", "a request for a WebSocket has no body"));
  const headers = [...decision.options.headers, ...upgradeHeaders];
  const upstream = callMachine({ ...decision.options, headers }, options);
  upstream.on("upgrade", ({ rawHeaders }, upstreamSocket, upstreamHead) => {
    writeHead(socket, "101 Switching Protocols", [...forwardedResponseHeaders(rawHeaders), ...upgradeHeaders]);
    socket.write(upstreamHead);
    upstreamSocket.write(head);
    upstreamSocket.on("error", () => socket.destroy());
    socket.pipe(upstreamSocket).pipe(socket);
    socket.once("close", () => upstreamSocket.destroy());
  });
  upstream.on("response", (upstreamResponse) => {
    const { statusCode, statusMessage, rawHeaders } = upstreamResponse;
    const fields = [...forwardedResponseHeaders(rawHeaders), "Connection", "close"];
    writeHead(socket, `${statusCode} ${statusMessage}`, fields);
    pipeline(upstreamResponse, socket).catch(() => socket.destroy());
  });
  upstream.on("error", (error) => refuseUpgrade(socket, badGateway(error)));
  return upstream.end();
};
