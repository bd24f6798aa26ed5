/** A client that leaves before its request is over. */
import net from "node:net";
import { until } from "../until.ts";
import { type City, logged } from "./project.ts";

export const ends = ["resetAndDestroy", "destroy", "end"] as const;

interface Leaving {
  /** What the client sends before it leaves. */
  readonly bytes: string;
  /** It has heard the answer's head by then. */
  readonly answered?: true;
}

const most = 20;

/**
 * Sends it and leaves, until the mesh has written a line. Nothing outside tells when a gate has begun with a request that it
 * does not answer, and one that has not begun writes none: the client stays a little longer each time.
 *
 * @returns what was written
 */
export const leave = async (mesh: City, { bytes, answered }: Leaving, end: (typeof ends)[number]) => {
  mesh.lines.length = 0;
  for (let tries = 1; tries <= most && logged(mesh).length === 0; tries++) {
    let heard = "";
    const socket = net.connect(mesh.port, "localhost", () => socket.write(bytes));
    socket
      .on("error", () => {})
      .on("data", (part) => {
        heard += part.toString("latin1");
      });
    const goes = Date.now() + 50 * tries;
    await until(() => (answered ? heard.includes("\r\n\r\n") : Date.now() > goes), "the time to leave has come");
    socket[end]();
    const last = Date.now() + 1000;
    await until(() => logged(mesh).length > 0 || Date.now() > last, "a line is written");
    socket.destroy();
  }
  return logged(mesh);
};
