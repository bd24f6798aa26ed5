/** Sends requests as bytes to the gateway, and checks each response. */
import net from "node:net";
import { type Message, messagesIn } from "../compatibility/messages/wire.ts";

export interface Wire {
  readonly method?: string;
  readonly target: string;
  readonly headers?: readonly (readonly [name: string, value: string])[];
  readonly host?: string;
  /** Latin-1, one character a byte. Its length is said unless the headers say one. */
  readonly body?: string;
}

const bytesOf = ({ method = "GET", target, host = "localhost", headers = [], body = "" }: Wire): string => {
  const names = headers.map(([name]) => name.toLowerCase());
  const framed = names.includes("content-length") || names.includes("transfer-encoding");
  const fields = [
    ...(names.includes("host") ? [] : [["Host", host]]),
    ...headers,
    ...(framed || body === "" ? [] : [["Content-Length", String(body.length)]]),
  ];
  return `${method} ${target} HTTP/1.1\r\n${fields.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n${body}`;
};

/** Time limit of the response to a complete request, on a slow computer too. */
const maxMs = 30_000;
/** Time limit where a client announces more than it sends. */
const cutMs = 300;

interface WireOutcome {
  readonly answer: Message | undefined;
  /** The gateway closed the connection. */
  readonly ended: boolean;
}

const converse = (port: number, bytes: string, isWhole: boolean, bodiless: boolean): Promise<WireOutcome> =>
  new Promise((resolve, reject) => {
    let received = "";
    const socket = net.connect(port, "localhost", () => socket.write(Buffer.from(bytes, "latin1")));
    const answerIn = (ended: boolean) =>
      messagesIn(received, { bodiless, ended }).find(({ line }) => !/^HTTP\/1\.1 1(?!01)/.test(line));
    const done = (outcome: WireOutcome) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(outcome);
    };
    const late = () => {
      if (!isWhole) return done({ answer: undefined, ended: false });
      socket.destroy();
      return reject(new Error(`no whole answer within ${maxMs / 1000} s: ${received.slice(0, 200)}`));
    };
    const timer = setTimeout(late, isWhole ? maxMs : cutMs);
    socket.on("data", (part) => {
      received += part.toString("latin1");
      const answer = answerIn(false);
      if (answer) done({ answer, ended: false });
    });
    socket.on("end", () => done({ answer: answerIn(true), ended: true }));
    socket.on("error", () => done({ answer: answerIn(true), ended: true }));
  });

/** Text that no response may contain. */
const internalText = /TypeError|SyntaxError|RangeError|ReferenceError|\.ts:\d|\bat \w+ \(|node_modules/;

/**
 * Sends a request and looks at the answer: no 5xx, nothing internal, and an answer at all where the request was whole,
 * rather than a connection that ends.
 * @param whole that it is, where its fields say how long it is
 * @returns its status, 0 where there is none to a request that was not whole
 */
export const sendAndCheck = async (
  port: number,
  wire: Wire,
  whole?: true,
): Promise<{ readonly status: number; readonly text: string }> => {
  const names = (wire.headers ?? []).map(([name]) => name.trim().toLowerCase());
  const isWhole =
    whole ?? !names.some((it) => ["content-length", "transfer-encoding", "expect", "upgrade"].includes(it));
  const { answer } = await converse(port, bytesOf(wire), isWhole, wire.method === "HEAD");
  if (!answer && isWhole) throw new Error("the connection ended without an answer");
  if (!answer) return { status: 0, text: "" };
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(answer.line)?.[1] ?? 0);
  // A method or a transfer coding that nobody here knows (RFC 9110, section 15.6.2; RFC 9112, section 6.1).
  if (status >= 500 && status !== 501) throw new Error(`a client made a ${status}: ${answer.body.slice(0, 300)}`);
  if (internalText.test(answer.body)) throw new Error(`an answer says what is internal: ${answer.body.slice(0, 300)}`);
  return { status, text: answer.body };
};
