/** Converts rows to cases of `postern test`, as far as their language can express them. */
import type { MessageRow } from "./messages.ts";
import { messagesIn, textOf, valuesOf } from "./wire.ts";

/** @returns undefined where a row is about bytes that the language has no words for */
export const caseOf = (row: MessageRow): { readonly it: string; readonly [key: string]: unknown } | undefined => {
  const send = sendOf(row);
  const replies = repliesOf(row);
  if (!send || replies === undefined || row.serviceFails) return undefined;
  const { status, code, headers = {}, body } = row.gets;
  const { sees } = row;
  const name = send.request.includes("/worker") ? "peer" : send.request.includes("/short") ? "short" : "it";
  const seen = sees && { sees: sees === "nothing" ? sees : seenOf(sees) };
  const service = { ...seen, ...(replies && { replies }) };
  return {
    it: row.it.slice(0, 200),
    ...(row.isSigned && { as: "shop" }),
    send,
    upstream: { [name]: service, ...(row.isCopied && { "mirrored/mirror": seen }) },
    expect: {
      status,
      ...(code !== undefined && { code }),
      headers: compared(headers, ["content-length", "keep-alive", "transfer-encoding", "upgrade"]),
      ...(body !== undefined && row.reply && status !== 204 && status !== 304 && { text: body }),
    },
  };
};

const plain = /^[\x20-\x7e]*$/;
const alone = (fields: readonly (readonly [string, string])[]): boolean =>
  new Set(fields.map(([name]) => name)).size === fields.length && fields.every(([, value]) => plain.test(value));

const sendOf = ({ send }: MessageRow) => {
  const text = send.replace("{signature}\r\n", "");
  const [message, ...more] = messagesIn(text);
  const [, method = "", target = ""] = /^([A-Z]+) (\/\S*) HTTP\/1\.1$/.exec(message?.line ?? "") ?? [];
  // What no client of HTTP could send, or sends in several, is said of bytes alone.
  if (!message || more.length > 0 || method === "" || !alone(message.headers) || target.length > 1000) return undefined;
  const hosts = valuesOf(message, "host");
  const { host: _, "transfer-encoding": coding, ...headers } = Object.fromEntries(message.headers);
  const lengths = valuesOf(message, "content-length");
  if (hosts.length !== 1 || lengths.some((it) => !/^\d{1,9}$/.test(it)) || (coding && coding !== "chunked"))
    return undefined;
  if (Object.keys(headers).some((name) => !/^[a-z0-9-]+$/.test(name))) return undefined;
  if (Object.values(headers).some((value) => value.length > 8000) || headers.expect === "a-miracle") return undefined;
  const content = textOf(message);
  // A length of zero is what a case writes itself.
  if (content !== "") delete headers["content-length"];
  const sameHost = hosts[0] === "localhost" ? {} : { host: hosts[0] };
  return {
    request: `${method} ${target}`,
    headers: { ...headers, ...sameHost },
    ...((content !== "" || coding) && { text: content }),
    ...(coding && { stream: "unannounced" }),
  };
};

/** Null for the service's own reply. */
const repliesOf = ({ reply }: MessageRow): object | null | undefined => {
  if (!reply) return null;
  const [message, ...more] = messagesIn(reply.bytes);
  const [, status] = /^HTTP\/1\.1 (\d{3}) /.exec(message?.line ?? "") ?? [];
  if (!message || status === undefined || more.length > 0 || reply.early || reply.closes || !alone(message.headers))
    return undefined;
  // A WebSocket is what a service of cases becomes by itself.
  if (status === "101") return null;
  if (Number(status) > 599 || Number(status) < 200 || message.headers.some(([, value]) => value.length > 8000))
    return undefined;
  const {
    "content-length": _,
    "transfer-encoding": __,
    trailer: ___,
    ...headers
  } = Object.fromEntries(message.headers);
  const content = textOf(message);
  return { status: Number(status), headers, ...(content !== "" && { text: content }) };
};

const seenOf = ({ line, headers = {}, body }: Exclude<MessageRow["sees"], "nothing" | undefined>) => ({
  ...(line !== undefined && { request: line.replace(" HTTP/1.1", "") }),
  headers: compared(headers, ["content-length", "transfer-encoding"]),
  ...(body !== undefined && { text: body }),
});

/** @param without lengths and codings, which only bytes have */
const compared = (fields: NonNullable<MessageRow["gets"]["headers"]>, without: readonly string[]) =>
  Object.fromEntries(
    Object.entries(fields).flatMap(([name, value]) => {
      if (without.includes(name) || typeof value === "object" ? value !== null : value === "{loopback}") return [];
      return without.includes(name) ? [] : [[name, value === null ? "absent" : value]];
    }),
  );
