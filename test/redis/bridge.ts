/** Test server: Upstash's REST API over a real `redis-server`. */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import http from "node:http";
import net, { type AddressInfo } from "node:net";
import { until } from "../until.ts";

export interface Bridge {
  readonly url: string;
  readonly token: string;
  /** Commands so far, by name. */
  readonly commands: readonly string[];
  readonly stop: () => Promise<void>;
}

/** Ends of one connection's pipeline. */
type ReplyHandler = (reply: unknown) => void;

export const startBridge = async (): Promise<Bridge> => {
  const port = await freePort();
  const server = spawn(
    "redis-server",
    ["--port", String(port), "--save", "", "--appendonly", "no", "--bind", "127.0.0.1"],
    {
      stdio: "ignore",
    },
  );
  const exited = new Promise<never>((_, fail) => {
    server.once("error", () => fail(new Error("there is no redis-server; .ci/run installs it from Debian")));
    server.once("exit", (code) => fail(new Error(`redis-server ended with ${code}`)));
  });
  exited.catch(() => {});
  const socket = await Promise.race([connected(port), exited]);
  const send = client(socket);
  const token = "a-token-of-the-bridge";
  const commands: string[] = [];
  /** Real Redis refuses the shebang of the library's scripts, so they have another hash there. */
  const known = new Map<string, string>();

  const run = async ([name = "", ...args]: string[]): Promise<unknown> => {
    commands.push(name);
    if (name === "EVALSHA") {
      const sha = known.get(args[0] ?? "");
      return sha ? send(["EVALSHA", sha, ...args.slice(1)]) : new Error("NOSCRIPT No matching script.");
    }
    if (name !== "EVAL") return new Error(`ERR the bridge has no ${name}`);
    const [script = "", ...rest] = args;
    const plain = script.replace(/^#![^\n]*/, "");
    known.set(sha1(script), sha1(plain));
    return send(["EVAL", plain, ...rest]);
  };

  const rest = http.createServer(async (request, response) => {
    const answer = (status: number, body: object) =>
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    if (request.headers.authorization !== `Bearer ${token}`) return answer(401, { error: "WRONGPASS invalid token" });
    let text = "";
    for await (const part of request) text += part;
    const reply = await run((JSON.parse(text) as unknown[]).map(String));
    return reply instanceof Error ? answer(400, { error: reply.message }) : answer(200, { result: reply });
  });
  await new Promise<void>((listening) => rest.listen(0, "localhost", listening));
  return {
    url: `http://localhost:${(rest.address() as AddressInfo).port}`,
    token,
    commands,
    stop: async () => {
      rest.closeAllConnections();
      rest.close();
      socket.destroy();
      server.removeAllListeners("exit");
      await new Promise((ended) => server.once("exit", ended).kill());
    },
  };
};

const sha1 = (text: string): string => createHash("sha1").update(text).digest("hex");

const freePort = async (): Promise<number> => {
  const probe = net.createServer();
  await new Promise<void>((listening) => probe.listen(0, "127.0.0.1", listening));
  const { port } = probe.address() as AddressInfo;
  await new Promise((closed) => probe.close(closed));
  return port;
};

const connected = async (port: number): Promise<net.Socket> => {
  let socket: net.Socket | undefined;
  await until(async () => {
    socket = await new Promise((tell) => {
      const it = net.connect(port, "127.0.0.1", () => tell(it)).once("error", () => tell(undefined));
    });
    return socket !== undefined;
  }, "redis-server answers");
  return socket as net.Socket;
};

/** RESP2 on one connection, in order. */
const client = (socket: net.Socket) => {
  const waiting: ReplyHandler[] = [];
  let buffer = "";
  socket.setEncoding("utf8").on("data", (part: string) => {
    buffer += part;
    for (;;) {
      const read = parse(buffer, 0);
      if (!read) return;
      buffer = buffer.slice(read.end);
      waiting.shift()?.(read.value);
    }
  });
  return (parts: readonly string[]): Promise<unknown> =>
    new Promise((resolve) => {
      waiting.push(resolve);
      socket.write(`*${parts.length}\r\n${parts.map((it) => `$${Buffer.byteLength(it)}\r\n${it}\r\n`).join("")}`);
    });
};

interface ParsedReply {
  readonly value: unknown;
  readonly end: number;
}

/** Replies here are ASCII, so characters are bytes. */
const parse = (text: string, from: number): ParsedReply | undefined => {
  const line = text.indexOf("\r\n", from);
  if (line < 0) return undefined;
  const head = text.slice(from + 1, line);
  const end = line + 2;
  switch (text[from]) {
    case "+":
      return { value: head, end };
    case "-":
      return { value: new Error(head), end };
    case ":":
      return { value: Number(head), end };
    case "$": {
      const length = Number(head);
      if (length < 0) return { value: null, end };
      return text.length < end + length + 2
        ? undefined
        : { value: text.slice(end, end + length), end: end + length + 2 };
    }
    default: {
      const items: unknown[] = [];
      let at = end;
      for (let index = 0; index < Number(head); index++) {
        const item = parse(text, at);
        if (!item) return undefined;
        items.push(item.value);
        at = item.end;
      }
      return { value: items, end: at };
    }
  }
};
