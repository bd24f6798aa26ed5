/** Request lines of an attacker, over a raw socket, through front and gate. */
import net from "node:net";
import { expect, it } from "vitest";
import { manifest, sharedProject } from "./project.ts";

interface Harness {
  /** Sends what it is given, and hears the status and the code. */
  readonly raw: (request: string) => Promise<string>;
  /** A request for a target, as it is written. */
  readonly ask: (target: string, host?: string) => Promise<string>;
  /** Targets that the service received. */
  readonly seen: string[];
}

const withService = sharedProject((url) => ({
  "routes/a.yaml": manifest(
    "a",
    `upstreams: { it: { http: "${url}" } }\nroutes:\n  admin: { match: ANY /admin, respond: { status: 403, text: closed } }\n  rest: { match: "ANY /{rest*}", to: it }\n`,
  ),
}));

const harness = (): Harness => {
  const seen: string[] = [];
  const { port } = withService((request, response) => {
    seen.push(request.url ?? "");
    response.end("ok");
  });
  const raw = (request: string) => exchange(port, request);
  const ask = (target: string, host = "localhost") =>
    raw(`GET ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
  return { raw, ask, seen };
};

const exchange = (port: number, request: string): Promise<string> =>
  new Promise((resolve, reject) => {
    let answer = "";
    const socket = net.connect(port, "127.0.0.1", () => socket.write(Buffer.from(request, "latin1")));
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

/** What each target is answered with. */
const answers = async (targets: readonly string[], ask: Harness["ask"]): Promise<Record<string, string>> => {
  const all: Record<string, string> = {};
  for (const target of targets) all[target] = await ask(target);
  return all;
};

const closed = "403";
const ambiguous = "400 path-ambiguous";

it("no way leads around a route", async () => {
  const expected = {
    "/a/admin": closed,
    "/a/%61dmin": closed,
    "/a/x/../admin": closed,
    "/a/x/%2e%2e/admin": closed,
    "/a/x/.%2E/admin": closed,
    "/a/x\\..\\admin": closed,
    "/a/./admin": closed,
    "/b/../a/admin": closed,
    "/a//admin": ambiguous,
    "//a/admin": ambiguous,
    "/a/admin;x=1": ambiguous,
    "/a/x/..;/admin": ambiguous,
    "/a/%2fadmin": ambiguous,
    "/a%2fadmin": ambiguous,
    "/a/x%5cadmin": ambiguous,
    "/a/admin%00": ambiguous,
    "/a/admin%3b": ambiguous,
    "/a/x/%252e%252e/admin": ambiguous,
    "/a/%c0%ae%c0%ae/admin": ambiguous,
    "/a/%ff": ambiguous,
    "/a/%zz": ambiguous,
  };
  const { ask, seen } = harness();
  expect(await answers(Object.keys(expected), ask)).toEqual(expected);
  expect(seen).toEqual([]);
});

it("what the service sees is what was matched", async () => {
  const { ask, seen } = harness();
  const targets = ["/a/Admin", "/a/admin/", "/a/%7euser/caf%c3%a9", "/a/x?y=%2f//;.."];
  expect(Object.values(await answers(targets, ask))).toEqual(["200", "200", "200", "200"]);
  expect(seen).toEqual(["/a/Admin", "/a/admin/", "/a/~user/caf%C3%A9", "/a/x?y=%2f//;.."]);
});

it("hosts are compared without case, port and last dot, and none is believed that is not ours", async () => {
  const { ask, seen } = harness();
  const at = (host: string) => ask("/a/x", host);
  expect([await at("LocalHost"), await at("localhost."), await at("localhost:8443")]).toEqual(["200", "200", "200"]);
  const before = seen.length;
  expect([await at("evil.example"), await at("localhost.evil.example")]).toEqual([
    "404 host-unknown",
    "404 host-unknown",
  ]);
  expect(await at("localhost:1@evil.example")).toMatch(/^4/);
  // The host of a target that is a whole URL counts, and the Host field beside it does not (RFC 9112, 3.2.2).
  expect(await ask("http://evil.example/a/x")).toBe("404 host-unknown");
  expect(seen.length).toBe(before);
  expect(await ask("http://localhost/a/x", "evil.example")).toBe("200");
  expect(seen.at(-1)).toBe("/a/x");
});

it("what is no request line reaches no service", async () => {
  const { raw, seen } = harness();
  for (const line of ["GET /a/x\0 HTTP/1.1", "TRACE /a/x HTTP/1.1", "GET a/x HTTP/1.1", "GET /a/x HTTP/9.9"])
    expect(await raw(`${line}\r\nHost: localhost\r\nConnection: close\r\n\r\n`)).not.toMatch(/^5|^200/);
  expect(seen).toEqual([]);
});
