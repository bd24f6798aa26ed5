/**
 * The edge's ingress: one port that stays open while the machines behind it change. It tells Workers the client's address, as the
 * platform's edge does. A request stays with the machine where it began. What a client breaks off is aborted at the machine as
 * well. Whatever a client sends or a Worker answers ends one request, and nothing else.
 */
import http from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { type ForwardOptions, forwardHttp } from "./forward.ts";
import { listen } from "./listen.ts";
import { MachineAgent } from "./machine-agent.ts";
import { isWebSocketUpgrade, maxHeaderBytes } from "./message.ts";
import { refusal } from "./refusals.ts";
import { badGateway, refuseBytes, refuseUpgrade, sendRefusal } from "./send-refusal.ts";
import { forwardUpgrade } from "./upgrade.ts";

export interface Ingress {
  readonly url: string;
  /** Resolves when every request that has begun by now has ended. */
  readonly whenIdle: () => Promise<void>;
  readonly close: () => Promise<void>;
}

/** An idle connection stays open for this long. A machine that was replaced ends when it has no connection. */
const idleMs = 2000;

interface IngressAddress {
  /** 0 for a free one. */
  readonly port: number;
  /** `localhost` for both families of addresses. */
  readonly host: string;
  /** The option of the command line that sets the port. */
  readonly option: string;
}

export const openIngress = async (
  { port, host, option }: IngressAddress,
  options: ForwardOptions,
): Promise<Ingress> => {
  const agent = new MachineAgent({ keepAlive: true, timeout: idleMs });
  const server = http.createServer({ maxHeaderSize: maxHeaderBytes, shouldUpgradeCallback: isWebSocketUpgrade });
  // Node would drop headers beyond a count without a word. Their bytes are bounded together.
  server.maxHeadersCount = 0;
  const inFlight = requestsInFlight();
  /** The server hands these over, and still waits for their end when it closes. */
  const upgraded = new Set<Duplex>();

  const handleRequest = (request: http.IncomingMessage, response: http.ServerResponse): void => {
    inFlight.add(response);
    forwardHttp(request, response, agent, options).catch((error: Error) => sendRefusal(response, badGateway(error)));
  };
  server.on("request", handleRequest);
  // The Worker decides whether it wants the body.
  server.on("checkContinue", handleRequest);
  server.on("upgrade", (request: http.IncomingMessage, socket: Duplex, head: Buffer) => {
    inFlight.add(socket);
    upgraded.add(socket);
    socket.once("close", () => upgraded.delete(socket));
    socket.on("error", () => socket.destroy());
    forwardUpgrade(request, socket, head, options).catch((error: Error) => refuseUpgrade(socket, badGateway(error)));
  });
  server.on("clientError", refuseBytes);
  server.on("connect", (_, socket: Duplex) => {
    socket.on("error", () => socket.destroy());
    refuseUpgrade(socket, refusal("method-unknown", "nothing here is a tunnel"));
  });

  await listen(server, port, host, option);
  return {
    url: `http://${host}:${(server.address() as AddressInfo).port}`,
    whenIdle: inFlight.ended,
    close: async () => {
      server.closeAllConnections();
      for (const socket of upgraded) socket.destroy();
      agent.destroy();
      await new Promise((closed) => server.close(closed));
    },
  };
};

const requestsInFlight = () => {
  const open = new Set<Promise<void>>();
  return {
    /** @param request its response, or its socket */
    add: (request: NodeJS.EventEmitter): void => {
      const closed = new Promise<void>((resolve) => request.once("close", resolve));
      open.add(closed);
      void closed.then(() => open.delete(closed));
    },
    /** Resolves when every request that has begun by now has ended. */
    ended: async (): Promise<void> => void (await Promise.all(open)),
  };
};
