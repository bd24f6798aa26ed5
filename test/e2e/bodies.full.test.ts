/** Request and response bodies through front and gate: large, slow, cut and framed in every way. */
import http from "node:http";
import net from "node:net";
import { describe, expect, it } from "vitest";
import { until } from "../until.ts";
import {
  findAccessLine,
  logRecords,
  manifest,
  runProject,
  runService,
  sharedProject,
  workerdMemory,
} from "./project.ts";

const tier = (name: string, url: string, more = "") => ({
  [`routes/${name}.yaml`]: manifest(
    name,
    `${more}upstreams: { store: { http: "${url}" } }\nroutes: { any: { match: "ANY /{rest*}", to: store } }\n`,
  ),
});

const withService = sharedProject((url) => ({
  ...tier("files", url),
  ...tier("small", url, "limits: { body: 64KiB }\n"),
}));

const mebibyte = 2 ** 20;
/** Far more than memory may grow by. */
const megabytes = 200;

/** Each in a gateway of its own: memory of another test would hide growth. */
describe(`${megabytes} MB`, () => {
  const total = megabytes * mebibyte;
  const chunk = Buffer.alloc(mebibyte / 4, 7);

  const measurePeak = async (work: () => Promise<void>): Promise<number> => {
    const before = workerdMemory();
    let peak = before;
    const timer = setInterval(() => {
      peak = Math.max(peak, workerdMemory());
    }, 20);
    await work();
    clearInterval(timer);
    return peak - before;
  };

  it.each(["content-length", "chunked"])("go up with flat memory (%s)", async (framing) => {
    const store = await runService(async (request, response) => {
      let received = 0;
      for await (const part of request) received += part.length;
      response.end(String(received));
    });
    const { port } = await runProject(tier("files", store.url, "limits: { body: 1GiB }\n"));
    const grown = await measurePeak(async () => {
      const answer = await new Promise<string>((resolve, reject) => {
        const headers = framing === "content-length" ? { "content-length": total } : {};
        const request = http.request(
          { port, host: "localhost", path: "/files/x", method: "POST", headers },
          async (response) => {
            let text = "";
            for await (const part of response) text += part;
            resolve(text);
          },
        );
        request.on("error", reject);
        void (async () => {
          for (let sent = 0; sent < total; sent += chunk.length)
            if (!request.write(chunk)) await new Promise((drained) => request.once("drain", drained));
          request.end();
        })();
      });
      expect(answer).toBe(String(total));
    });
    expect(grown).toBeLessThan(64);
  });

  it("come down with flat memory", async () => {
    const store = await runService(async (_, response) => {
      for (let sent = 0; sent < total; sent += chunk.length)
        if (!response.write(chunk)) await new Promise((drained) => response.once("drain", drained));
      response.end();
    });
    const { port } = await runProject(tier("files", store.url));
    const grown = await measurePeak(async () => {
      const received = await new Promise<number>((resolve, reject) => {
        http
          .get({ port, host: "localhost", path: "/files/x" }, async (response) => {
            let count = 0;
            for await (const part of response) count += part.length;
            resolve(count);
          })
          .on("error", reject);
      });
      expect(received).toBe(total);
    });
    expect(grown).toBeLessThan(64);
  });
});

describe("a body that is cut", () => {
  /** Sends half of a body, then does what `cut` says. The service tells how the body ended for it. */
  const half = async (framing: "content-length" | "chunked", cut: (socket: net.Socket) => void) => {
    let ended = "not begun";
    const { port, ...project } = withService(async (request, response) => {
      ended = "open";
      try {
        for await (const _ of request);
        ended = "complete";
        response.end();
      } catch {
        ended = "broken";
      }
    });
    const socket = net.connect(port, "localhost");
    socket.on("error", () => {});
    const head = framing === "chunked" ? "Transfer-Encoding: chunked" : `Content-Length: ${mebibyte}`;
    socket.write(`POST /files/x HTTP/1.1\r\nHost: localhost\r\n${head}\r\n\r\n`);
    const part = Buffer.alloc(mebibyte / 4, 7);
    socket.write(
      framing === "chunked"
        ? Buffer.concat([Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from("\r\n")])
        : part,
    );
    await until(() => ended === "open", "the service has the request");
    cut(socket);
    await until(() => ended !== "open", "the body ends");
    await until(() => logRecords(project).length > 0, "the line is written");
    return ended;
  };
  const cuts = {
    "a reset": (socket: net.Socket) => void socket.resetAndDestroy(),
    "a close": (socket: net.Socket) => void socket.destroy(),
    "a half close": (socket: net.Socket) => void socket.end(),
  };
  for (const framing of ["content-length", "chunked"] as const)
    for (const [name, cut] of Object.entries(cuts))
      it(`by ${name} (${framing}) is never taken for complete`, async () => {
        expect(await half(framing, cut)).toBe("broken");
      });
});

describe("a body over the limit", () => {
  it.each(["content-length", "chunked"] as const)(
    "is 413, and never complete for the service (%s)",
    async (framing) => {
      const ends: string[] = [];
      const { url, ...project } = withService(async (request, response) => {
        try {
          for await (const _ of request);
          ends.push("complete");
          response.end("taken");
        } catch {
          ends.push("broken");
        }
      });
      const bytes = new Uint8Array(200 * 1024);
      const body = framing === "chunked" ? new Blob([bytes]).stream() : bytes;
      const response = await fetch(`${url}/small/x`, { method: "POST", body, duplex: "half" } as RequestInit);
      expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([413, "body-too-large"]);
      const line = await findAccessLine(project, response.headers.get("x-request-id") ?? "");
      expect(line).toMatchObject({ status: 413, verdict: "refused" });
      // One whose length is too large goes nowhere.
      if (framing === "chunked") await until(() => ends.length > 0, "the body ends for the service");
      expect(ends).toEqual(framing === "chunked" ? ["broken"] : []);
    },
  );

  it("exactly at the limit passes whole (chunked)", async () => {
    const { url } = withService(async (request, response) => {
      let count = 0;
      for await (const part of request) count += part.length;
      response.end(String(count));
    });
    const response = await fetch(`${url}/small/x`, {
      method: "POST",
      body: new Blob([new Uint8Array(65_536)]).stream(),
      duplex: "half",
    } as RequestInit);
    expect([response.status, await response.text()]).toEqual([200, "65536"]);
  });
});

it.each(["GET", "HEAD"])("%s with a body of unknown length is refused, not a fault", async (method) => {
  const { port, ...project } = withService();
  const socket = net.connect(port, "localhost");
  let received = "";
  socket.on("data", (part) => {
    received += part;
  });
  socket.write(
    `${method} /files/x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n3\r\nabc\r\n0\r\n\r\n`,
  );
  await until(() => received.includes("\r\n\r\n"), "it is answered");
  expect(received).toMatch(/^HTTP\/1\.1 400 /);
  const [, id = ""] = /^x-request-id: (\S+)/im.exec(received) ?? [];
  expect(await findAccessLine(project, id)).toMatchObject({ status: 400, verdict: "refused", code: "body-unexpected" });
  socket.destroy();
});

describe("a client that leaves", () => {
  it("is seen by the service while it works", async () => {
    let remaining = false;
    let begun = false;
    const { port, ...project } = withService((request, response) => {
      begun = true;
      request.resume();
      response.on("close", () => {
        remaining = !response.writableFinished;
      });
    });
    const socket = net.connect(port, "localhost");
    socket.on("error", () => {});
    socket.write("GET /files/slow HTTP/1.1\r\nHost: localhost\r\n\r\n");
    await until(() => begun, "the service has the request");
    socket.resetAndDestroy();
    await until(() => remaining, "the service sees that the client left");
    await until(() => logRecords(project).length > 0, "the line is written");
    expect(logRecords(project)).toMatchObject([{ type: "access", status: 499, verdict: "left" }]);
  });

  it("is seen by the service while it streams", async () => {
    let remaining = false;
    const { port } = withService((_, response) => {
      const timer = setInterval(() => response.write("data: tick\n\n"), 20);
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.on("close", () => {
        clearInterval(timer);
        remaining = true;
      });
    });
    const socket = net.connect(port, "localhost");
    socket.on("error", () => {});
    let received = "";
    socket.on("data", (part) => {
      received += part;
    });
    socket.write("GET /files/events HTTP/1.1\r\nHost: localhost\r\n\r\n");
    await until(() => received.includes("tick"), "events come");
    socket.resetAndDestroy();
    await until(() => remaining, "the service sees that the client left");
  });
});

it("a response that the service cuts is cut for the client", async () => {
  const { url } = withService((_, response) => {
    response.writeHead(200, { "content-length": "1000" });
    response.write("half");
    // The half is on its way before the connection breaks.
    setTimeout(() => response.socket?.resetAndDestroy(), 50);
  });
  const response = await fetch(`${url}/files/x`);
  await expect(response.text()).rejects.toThrow();
});
