/** Request lines as only an attacker writes them, over a raw socket, through front and gate. */
import net from "node:net";
import { beforeAll, describe, expect, it } from "vitest";
import { type City, city, manifest, service } from "./city.ts";

const seen: string[] = [];
let town: City;

beforeAll(async () => {
  const { url } = await service((request, response) => {
    seen.push(request.url ?? "");
    response.end("ok");
  });
  town = await city({
    "routes/a.yaml": manifest(
      "a",
      `upstreams: { it: { http: "${url}" } }\nroutes:\n  admin: { match: ANY /admin, respond: { status: 403, text: closed } }\n  rest: { match: "ANY /{rest*}", to: it }\n`,
    ),
  });
});

/** Sends what it is given, and hears the status and the code. */
const raw = (request: string): Promise<string> =>
  new Promise((resolve, reject) => {
    let answer = "";
    const socket = net.connect(town.port, "127.0.0.1", () => socket.write(Buffer.from(request, "latin1")));
    socket.setTimeout(10_000, () => socket.destroy(new Error("no answer")));
    socket.on("data", (chunk) => {
      answer += chunk;
    });
    socket.on("error", reject);
    socket.on("close", () => {
      const [, status] = /^HTTP\/1\.1 (\d+)/.exec(answer) ?? [];
      const [, code] = /"code":"([^"]+)"/.exec(answer) ?? [];
      resolve([status, code].filter(Boolean).join(" "));
    });
  });

const ask = (target: string, host = "localhost") =>
  raw(`GET ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);

describe("no way leads around a route", () => {
  it.each([
    ["/a/admin", "403"],
    ["/a/%61dmin", "403"],
    ["/a/x/../admin", "403"],
    ["/a/x/%2e%2e/admin", "403"],
    ["/a/x/.%2E/admin", "403"],
    ["/a/x\\..\\admin", "403"],
    ["/a/./admin", "403"],
    ["/b/../a/admin", "403"],
    ["/a//admin", "400 path-ambiguous"],
    ["//a/admin", "400 path-ambiguous"],
    ["/a/admin;x=1", "400 path-ambiguous"],
    ["/a/x/..;/admin", "400 path-ambiguous"],
    ["/a/%2fadmin", "400 path-ambiguous"],
    ["/a%2fadmin", "400 path-ambiguous"],
    ["/a/x%5cadmin", "400 path-ambiguous"],
    ["/a/admin%00", "400 path-ambiguous"],
    ["/a/admin%3b", "400 path-ambiguous"],
    ["/a/x/%252e%252e/admin", "400 path-ambiguous"],
    ["/a/%c0%ae%c0%ae/admin", "400 path-ambiguous"],
    ["/a/%ff", "400 path-ambiguous"],
    ["/a/%zz", "400 path-ambiguous"],
  ])("%s is %s", async (target, expected) => {
    const before = seen.length;
    expect(await ask(target)).toBe(expected);
    expect(seen.slice(before)).toEqual([]);
  });
});

describe("what the service sees is what was matched", () => {
  it.each([
    ["/a/Admin", "/a/Admin"],
    ["/a/admin/", "/a/admin/"],
    ["/a/%7euser/caf%c3%a9", "/a/~user/caf%C3%A9"],
    ["/a/x?y=%2f//;..", "/a/x?y=%2f//;.."],
  ])("%s reaches it as %s", async (target, expected) => {
    const before = seen.length;
    expect(await ask(target)).toBe("200");
    expect(seen.slice(before)).toEqual([expected]);
  });
});

describe("hosts", () => {
  it.each([
    ["LocalHost", "200"],
    ["localhost.", "200"],
    ["localhost:8443", "200"],
    ["localhost:1@evil.example", "4"],
    ["evil.example", "404 host-unknown"],
    ["localhost.evil.example", "404 host-unknown"],
  ])("%s is %s", async (host, expected) => {
    expect(await ask("/a/x", host)).toMatch(new RegExp(`^${expected}`));
  });

  it("an absolute target names the host, and no other one is believed", async () => {
    const before = seen.length;
    expect(await ask("http://evil.example/a/x")).not.toMatch(/^200/);
    expect(await ask("http://localhost/a/x", "evil.example")).not.toMatch(/^5/);
    expect(seen.slice(before).every((it) => it === "/a/x")).toBe(true);
  });
});

it("what is no request line gets no answer from a service", async () => {
  const before = seen.length;
  for (const line of ["GET /a/x\0 HTTP/1.1", "GET /a/\xff HTTP/1.1", "TRACE /a/x HTTP/1.1", "GET a/x HTTP/1.1"])
    expect(await raw(`${line}\r\nHost: localhost\r\nConnection: close\r\n\r\n`)).not.toMatch(/^5|^200 /);
  expect(seen.slice(before).filter((it) => it.includes("\0"))).toEqual([]);
});
