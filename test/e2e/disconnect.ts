/** A client that disconnects before its request has ended. */
import net from "node:net";
import { until } from "../until.ts";
import { logRecords, type RunningProject } from "./project.ts";

export const disconnects = ["resetAndDestroy", "destroy", "end"] as const;

interface Disconnect {
  /** What the client sends before it leaves. */
  readonly bytes: string;
  /** It has received the response's head by then. */
  readonly answered?: true;
}

const maxTries = 20;

/**
 * Sends a request and disconnects, until the gateway has logged a line. Nothing outside shows when a gate has begun with a
 * request that it does not answer, and a gate that has not begun logs none: the client stays a little longer each time.
 * @returns what was logged
 */
export const disconnectEarly = async (
  project: RunningProject,
  { bytes, answered }: Disconnect,
  end: (typeof disconnects)[number],
) => {
  project.lines.length = 0;
  for (let tries = 1; tries <= maxTries && logRecords(project).length === 0; tries++) {
    let received = "";
    const socket = net.connect(project.port, "localhost", () => socket.write(bytes));
    socket
      .on("error", () => {})
      .on("data", (part) => {
        received += part.toString("latin1");
      });
    const leaveAt = Date.now() + 50 * tries;
    await until(() => (answered ? received.includes("\r\n\r\n") : Date.now() > leaveAt), "the time to leave has come");
    socket[end]();
    const giveUpAt = Date.now() + 1000;
    await until(() => logRecords(project).length > 0 || Date.now() > giveUpAt, "a line is written");
    socket.destroy();
  }
  return logRecords(project);
};
