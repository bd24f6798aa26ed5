/**
 * Both ends of the wire as bytes, in Latin-1: a client that sends what a row says, and a service that records what it
 * receives.
 */
import { createHash } from "node:crypto";
import net from "node:net";

/** A message as it came over the wire. */
export interface Message {
  /** `GET /x HTTP/1.1` or `HTTP/1.1 200 OK`. */
  readonly line: string;
  /** Names in lower case, in their order. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** As written, chunks and all. */
  readonly body: string;
}

export const valuesOf = ({ headers }: Pick<Message, "headers">, name: string): string[] =>
  headers.filter(([it]) => it === name).map(([, value]) => value);

const headEnd = "\r\n\r\n";

/**
 * The messages at the beginning of some bytes, as far as they are whole.
 *
 * @param bodiless answers to HEAD have no body, whatever they say of one
 * @param ended nothing comes any more, so what has no length ends here
 */
export const messagesIn = (bytes: string, { bodiless = false, ended = false } = {}): Message[] => {
  const all: Message[] = [];
  for (let rest = bytes; ; ) {
    const end = rest.indexOf(headEnd);
    if (end < 0) return all;
    const [line = "", ...lines] = rest.slice(0, end).split("\r\n");
    const headers = lines.map((it): [string, string] => {
      const colon = it.indexOf(":");
      return [it.slice(0, colon).toLowerCase(), it.slice(colon + 1).trim()];
    });
    const after = rest.slice(end + headEnd.length);
    const length = bodiless ? 0 : bodyLength(line, headers, after, ended);
    if (length === undefined) return all;
    all.push({ line, headers, body: after.slice(0, length) });
    rest = after.slice(length);
  }
};

/** RFC 9112, section 6.3. @returns undefined while there is more to come */
const bodyLength = (line: string, headers: Message["headers"], after: string, ended: boolean): number | undefined => {
  if (/^HTTP\/1\.[01] (?:1\d\d|204|304)/.test(line)) return 0;
  if (valuesOf({ headers }, "transfer-encoding").length > 0) return chunksLength(after);
  const [length] = valuesOf({ headers }, "content-length");
  if (length !== undefined) return after.length >= Number(length) ? Number(length) : undefined;
  if (!line.startsWith("HTTP/")) return 0;
  return ended ? after.length : undefined;
};

const chunksLength = (bytes: string): number | undefined => {
  for (let at = 0; ; ) {
    const line = bytes.indexOf("\r\n", at);
    if (line < 0) return undefined;
    const size = Number.parseInt(bytes.slice(at, line), 16);
    if (Number.isNaN(size)) return undefined;
    if (size === 0) {
      const end = bytes.indexOf(headEnd, line);
      return end < 0 ? undefined : end + headEnd.length;
    }
    at = line + 2 + size + 2;
  }
};

/** What a body says, out of its chunks where it came in some. */
export const textOf = (message: Message): string => {
  if (valuesOf(message, "transfer-encoding").length === 0) return message.body;
  let text = "";
  for (let at = 0; ; ) {
    const line = message.body.indexOf("\r\n", at);
    const size = Number.parseInt(message.body.slice(at, line), 16);
    if (!(size > 0)) return text;
    text += message.body.slice(line + 2, line + 2 + size);
    at = line + 2 + size + 2;
  }
};

export interface Reply {
  /** `{accept}` stands for what a WebSocket's handshake wants. */
  readonly bytes: string;
  /** As soon as the head is there, whatever of the body is. */
  readonly early?: boolean;
  /** The connection ends behind it. */
  readonly closes?: boolean;
}

export interface RawService {
  readonly url: string;
  /** How it answers from now on; undefined for never. */
  readonly replies: (reply: Reply | undefined) => void;
  /** What has come since the last call. */
  readonly seen: () => Message[];
  readonly stop: () => void;
}

/** A service that reads no more than it has to, and answers with the bytes that it is given. */
export const rawService = async (): Promise<RawService> => {
  let reply: Reply | undefined;
  let all: Message[] = [];
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    let bytes = "";
    let answered = false;
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket)).on("error", () => socket.destroy());
    const answer = (head: string) => {
      if (!reply) return;
      const [, key = ""] = /^sec-websocket-key: *(\S+)/im.exec(head) ?? [];
      socket.write(Buffer.from(reply.bytes.replace("{accept}", acceptOf(key)), "latin1"));
      if (reply.closes) socket.end();
    };
    socket.on("data", (part) => {
      bytes += part.toString("latin1");
      if (reply?.early && !answered && bytes.includes(headEnd)) {
        answered = true;
        answer(bytes);
      }
      for (const message of messagesIn(bytes)) {
        all.push(message);
        if (!answered) answer(bytes);
        answered = false;
        bytes = bytes.slice(bytes.indexOf(headEnd) + headEnd.length + message.body.length);
      }
    });
  });
  await new Promise<void>((listening) => server.listen(0, "localhost", listening));
  return {
    url: `http://localhost:${(server.address() as net.AddressInfo).port}`,
    replies: (next) => {
      reply = next;
    },
    seen: () => {
      const some = all;
      all = [];
      return some;
    },
    stop: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
};

/** RFC 6455, section 4.2.2. */
const acceptOf = (key: string): string =>
  createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");

const maxMs = 20_000;

/** Sends bytes and reads on until `enough` says so, or the connection ends. */
export const converse = (
  port: number,
  bytes: string,
  enough: (received: string) => boolean,
): Promise<{ readonly received: string; readonly ended: boolean }> =>
  new Promise((resolve) => {
    let received = "";
    const socket = net.connect(port, "localhost", () => socket.write(Buffer.from(bytes, "latin1")));
    const done = (ended: boolean) => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ received, ended });
    };
    const timer = setTimeout(() => done(false), maxMs);
    socket.on("data", (part) => {
      received += part.toString("latin1");
      if (enough(received)) done(false);
    });
    socket.on("end", () => done(true)).on("error", () => done(true));
  });
