/** The door as a client meets it, in front of Workers that do as they like. */
import http from "node:http";
import net, { type AddressInfo } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { openDoor } from "../../infra/cloud/edge/door.ts";

const listening = async (server: net.Server): Promise<number> => {
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
};

const doorTo = async (port: number) => {
  const url = new URL(`http://127.0.0.1:${port}`);
  const door = await openDoor(
    { port: 0, host: "localhost", option: "--edge-port" },
    { send: async () => ({ url }), missed: () => {} },
  );
  onTestFinished(door.close);
  return Number(new URL(door.url).port);
};

const sent = (port: number, body: Buffer): Promise<number> =>
  new Promise((resolve, reject) => {
    const request = http.request({ host: "localhost", port, method: "POST", agent: false }, (response) => {
      response.resume().on("end", () => resolve(response.statusCode ?? 0));
    });
    request.on("error", reject).end(body);
  });

it("passes on what a Worker answers before it has read the body, though it closes the connection then", async () => {
  const worker = await listening(
    net.createServer((socket) => {
      socket
        .on("error", () => {})
        .once("data", () => {
          // What it has not read by then is answered with a reset.
          socket.pause().end("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno", () => socket.destroy());
        });
    }),
  );
  const port = await doorTo(worker);
  const statuses: number[] = [];
  for (let time = 0; time < 40; time++) statuses.push(await sent(port, Buffer.alloc(400_000)));
  expect(statuses.filter((it) => it !== 403)).toEqual([]);
});

it("says that there was no answer where a Worker closes the connection without one", async () => {
  const worker = await listening(
    net.createServer((socket) => socket.on("error", () => {}).once("data", () => socket.destroy())),
  );
  expect(await sent(await doorTo(worker), Buffer.alloc(400_000))).toBe(502);
});
