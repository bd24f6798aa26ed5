/** Sends what the edge answers by itself, over HTTP and on a bare socket. */
import http from "node:http";
import type { Duplex } from "node:stream";
import { maxHeaderBytes } from "./message.ts";
import { fieldsOf, type Refusal, refusal } from "./refusals.ts";

export const badGateway = (error: Error): Refusal => refusal("response-unreadable", error.message);

/** Answers instead of a Worker. A response that has begun is cut off. */
export const sendRefusal = (response: http.ServerResponse, it: Refusal): void => {
  if (response.headersSent) return void response.destroy();
  // The rest of a refused request is not read.
  const fields = [...fieldsOf(it), ...(it.status >= 400 ? ["Connection", "close"] : [])];
  response.writeHead(it.status, http.STATUS_CODES[it.status] ?? "", fields).end(it.text);
};

export const refuseUpgrade = (socket: Duplex, it: Refusal): void => {
  writeHead(socket, `${it.status} ${http.STATUS_CODES[it.status]}`, [...fieldsOf(it), "Connection", "close"]);
  socket.end(it.text);
};

/** Answers bytes that Node could not parse as a request. Where a response has begun on the connection, it is only closed. */
export const refuseBytes = (
  error: NodeJS.ErrnoException,
  socket: Duplex & { readonly _httpMessage?: Pick<http.ServerResponse, "headersSent"> | null },
): void => {
  if (!socket.writable || error.code === "ECONNRESET" || socket._httpMessage?.headersSent) socket.destroy();
  else refuseUpgrade(socket, unparsed(error));
};

const unparsed = ({ code, message }: NodeJS.ErrnoException): Refusal => {
  if (code === "HPE_HEADER_OVERFLOW")
    return refusal("header-too-large", `a request header has at most ${maxHeaderBytes} bytes`);
  return refusal(code === "ERR_HTTP_REQUEST_TIMEOUT" ? "request-late" : "request-malformed", message);
};

/** Node reads header bytes as Latin-1, and they are written likewise, so that they stay the same. */
export const writeHead = (socket: Duplex, status: string, fields: readonly string[]): void => {
  let text = `HTTP/1.1 ${status}\r\n`;
  for (let index = 0; index < fields.length; index += 2) text += `${fields[index]}: ${fields[index + 1]}\r\n`;
  socket.write(`${text}\r\n`, "latin1");
};
