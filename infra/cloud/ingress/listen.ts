/** Listens on a port, or names the process that has it. */
import http from "node:http";
import { ownerOf } from "../../project/port-owner.ts";

/** Another process listens on the port. */
export class PortTaken extends Error {
  readonly remedy: string;
  /** @param option of the command line that sets the port */
  constructor(port: number, option: string) {
    const owner = ownerOf(port);
    super(`port ${port} is taken${owner ? ` by process ${owner.pid}${owner.command && `: ${owner.command}`}` : ""}`);
    this.remedy = `stop ${owner ? `it (kill ${owner.pid})` : "what listens there"}, or take another port: ${option} ${port + 1}`;
  }
}

/** @throws PortTaken */
export const listen = (server: http.Server, port: number, host: string, option: string): Promise<void> =>
  new Promise((listening, failed) => {
    server.once("error", (error: NodeJS.ErrnoException) =>
      failed(error.code === "EADDRINUSE" ? new PortTaken(port, option) : error),
    );
    server.listen(port, host, listening);
  });

/**
 * Checks that a port is free before anything is started. Another process may still take it afterwards.
 * @throws PortTaken
 */
export const expectFree = async (port: number, host: string, option: string): Promise<void> => {
  const probe = http.createServer();
  await listen(probe, port, host, option);
  await new Promise((closed) => probe.close(closed));
};
