/** Connections to machines, which stay open between requests. */
import http from "node:http";
import type { Socket } from "node:net";

/**
 * A Worker may answer before it has read the body, and the runtime closes the connection then. The rest of the body fails to be
 * written, which would destroy the response that has already arrived. Such failures are ignored. Where there is no response, the
 * end of the connection is the failure.
 */
export class MachineAgent extends http.Agent {
  override createConnection(
    ...options: Parameters<http.Agent["createConnection"]>
  ): ReturnType<http.Agent["createConnection"]> {
    const socket = super.createConnection(...options) as Socket;
    const { _write: write, _writev: writev } = socket;
    const ignoreClosed =
      (done: WriteCallback): WriteCallback =>
      (error) =>
        done(error && isConnectionClosed(error) ? null : error);
    socket._write = (chunk, encoding, done) => write.call(socket, chunk, encoding, ignoreClosed(done));
    socket._writev = (chunks, done) => writev?.call(socket, chunks, ignoreClosed(done));
    return socket;
  }
}

type WriteCallback = (error?: Error | null) => void;

const isConnectionClosed = ({ code }: NodeJS.ErrnoException): boolean => code === "EPIPE" || code === "ECONNRESET";
