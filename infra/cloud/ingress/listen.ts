/** Opens a port, and says who has it where it is taken. */
import http from "node:http";
import { ownerOf } from "../../project/port-owner.ts";

/** A port that another process listens on. */
export class PortTaken extends Error {
  readonly remedy: string;
  /** @param option of the command line, by which the port is given */
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
 * Says so before anything else is begun that a port is taken. Between this and the listening it may be taken still.
 * @throws PortTaken
 */
export const expectFree = async (port: number, host: string, option: string): Promise<void> => {
  const probe = http.createServer();
  await listen(probe, port, host, option);
  await new Promise((closed) => probe.close(closed));
};
