/** A TCP proxy between a client and the gate, which records what the client writes. */
import net, { type AddressInfo } from "node:net";

export interface WireRecorder {
  readonly port: number;
  /** The head of the request with this `x-case`, from its first line on. */
  readonly head: (id: string) => string | undefined;
  /** How many connections the client has made. */
  readonly connections: () => number;
  readonly close: () => void;
}

export const recordWire = async (port: number): Promise<WireRecorder> => {
  const written: Buffer[][] = [];
  const sockets = new Set<net.Socket>();
  const server = net.createServer((client) => {
    const parts: Buffer[] = [];
    written.push(parts);
    const gate = net.connect(port, "localhost");
    for (const [from, to] of [
      [client, gate],
      [gate, client],
    ] as const) {
      sockets.add(from);
      from.on("error", () => to.destroy());
      from.on("close", () => to.destroy());
      from.pipe(to);
    }
    client.on("data", (part) => parts.push(part));
  });
  await new Promise<void>((listening) => server.listen(0, "localhost", listening));
  const heads = () =>
    written.flatMap(
      (parts) =>
        Buffer.concat(parts)
          .toString("latin1")
          .match(/[A-Z]+ \S+ HTTP\/1\.1\r\n[\s\S]*?\r\n\r\n/g) ?? [],
    );
  return {
    port: (server.address() as AddressInfo).port,
    head: (id) => heads().find((it) => new RegExp(`\r\nx-case: ${id}\r\n`, "i").test(it)),
    connections: () => written.length,
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
};
