/** Finds the process that listens on a port. */
import http from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { listen, PortTaken } from "../../infra/cloud/ingress/listen.ts";
import { listenersIn, ownerOf } from "../../infra/project/port-owner.ts";

it("is found in the table of sockets, among connections of the same port", () => {
  const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:2253 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4711 1 0000000000000000 100 0 0 10 0
   1: 0100007F:2253 0100007F:D431 01 00000000:00000000 00:00000000 00000000  1000        0 4712 1 0000000000000000 20 4 30 10 -1
   2: 0100007F:2260 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4713 1 0000000000000000 100 0 0 10 0
`;
  expect(listenersIn(table, 0x2253)).toEqual(["4711"]);
  expect(listenersIn(table, 0x1234)).toEqual([]);
});

it("is this process, and the refusal of a second listener names it", async () => {
  const first = http.createServer();
  await listen(first, 0, "localhost", "--port");
  onTestFinished(() => void first.close());
  const { port } = first.address() as AddressInfo;
  expect(ownerOf(port)?.pid).toBe(process.pid);
  const error = await listen(http.createServer(), port, "localhost", "--port").catch((it) => it);
  expect(error).toBeInstanceOf(PortTaken);
  expect(error.message).toContain(`port ${port} is taken by process ${process.pid}: `);
  expect(error.remedy).toBe(`stop it (kill ${process.pid}), or take another port: --port ${port + 1}`);
});
