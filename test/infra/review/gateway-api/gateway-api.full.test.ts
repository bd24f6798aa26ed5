/** HTTPRoute behaviour at a running gate: imported, compiled and called. */
import http from "node:http";
import { expect, it } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { importGatewayApi } from "../../../../infra/review/import/gateway-api/import.ts";
import { type Files, type RunningProject, runProject, runService } from "../../../e2e/project.ts";
import { backends, shares, sockets } from "./backends.ts";
import type { Case, Expected } from "./case-helpers.ts";
import { filters, origins } from "./filters.ts";
import { hosts } from "./hosts.ts";
import { matching } from "./matching.ts";

const cases: Readonly<Record<string, Case>> = { ...matching, ...hosts, ...filters, ...origins, ...backends };
const names = Object.keys(cases);
const hostOf = (name: string): string => `case-${names.indexOf(name) + 1}.example`;

/** A request that a service received. */
interface EchoedRequest {
  readonly by: string;
  readonly path: string;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly echoed: EchoedRequest | undefined;
}

/** Echoes the request; `?delay=` is its time in ms, `?back=` the headers that it answers with. */
const echo =
  (by: string, received: EchoedRequest[]): http.RequestListener =>
  (request, response) => {
    let body = "";
    request.on("data", (chunk) => {
      body += chunk;
    });
    request.on("end", () => {
      const echoed = { by, path: request.url ?? "", headers: request.headers, body };
      received.push(echoed);
      const { searchParams } = new URL(request.url ?? "", "http://any.example");
      for (const pair of searchParams.get("back")?.split(",") ?? [])
        response.setHeader(...(pair.split(":") as [string, string]));
      setTimeout(() => response.end(JSON.stringify(echoed)), Number(searchParams.get("delay") ?? 0));
    });
  };

const importTiers = (resources: string, tier: string, host: string) =>
  importGatewayApi([{ file: `${tier}.yaml`, text: resources }], { tier, host: [host] });

/** All of it behind one front, in one Worker, which is up in no time. */
const startGateway = async (received: EchoedRequest[]): Promise<RunningProject> => {
  const services = await Promise.all(
    ["v1", "v2", "v3"].map(async (name) => [name, await runService(echo(name, received))] as const),
  );
  const all = [
    ...names.map((name, index) => importTiers((cases[name] as Case).resources, `c${index + 1}`, hostOf(name))),
    ...Object.entries({ ...shares, sockets }).map(([name, text]) => importTiers(text, name, `${name}.example`)),
  ];
  const urlOf = (variable: string) => services.find(([name]) => variable.includes(`-${name}-`))?.[1].url;
  for (const [, { server }] of services)
    new WebSocketServer({ server }).on("connection", (socket) =>
      socket.on("message", (messages, binary) => socket.send(messages, { binary })),
    );
  const values = Object.fromEntries(all.flatMap((it) => Object.keys(it.values).map((name) => [name, urlOf(name)])));
  const files: Files = Object.fromEntries([
    ["routes/environments/local.yaml", `values: ${JSON.stringify(values)}\n`],
    ...all.flatMap(({ files }) => files.map((it) => [it.file, `${it.text}isolation: shared\n`])),
  ]);
  return runProject(files);
};

const send = (
  port: number,
  line: string,
  host: string,
  headers: Readonly<Record<string, string>> = {},
  body = "",
): Promise<Answer> => {
  const [method = "", target = ""] = line.split(" ");
  const own = target.startsWith("/") ? host : target.slice(0, target.indexOf("/"));
  const path = target.slice(target.indexOf("/"));
  return new Promise((resolve, reject) => {
    const request = http.request(
      {
        host: "localhost",
        port: port,
        method,
        path,
        headers: { ...headers, host: own.includes(":") ? own : `${own}:${port}` },
      },
      (response) => {
        let text = "";
        response.on("data", (chunk) => {
          text += chunk;
        });
        response.on("end", () => {
          const { statusCode: status = 0, headers } = response;
          const ours = headers["content-type"] === undefined && text.startsWith("{");
          resolve({ status, headers, echoed: ours ? (JSON.parse(text) as EchoedRequest) : undefined });
        });
      },
    );
    request.on("error", reject);
    request.end(body);
  });
};

/** What is otherwise than it has to be. */
const mismatches = ({ status, headers, echoed }: Answer, expected: Expected, port: number): string[] => {
  const differs = (what: string, is: unknown, toExpected: unknown) =>
    is === toExpected ? [] : [`${what}: ${is}, not ${toExpected}`];
  const missingHeaders = (
    what: string,
    given: http.IncomingHttpHeaders | undefined,
    toExpected: Expected["sees"] = {},
  ) =>
    Object.entries(toExpected).flatMap(([name, value]) =>
      differs(`${what} ${name}`, given?.[name] ?? null, value?.replace("PORT", String(port)) ?? null),
    );
  return [
    ...differs("status", status, expected.status ?? 200),
    ...(expected.by === undefined ? [] : differs("answered by", echoed?.by, expected.by)),
    ...(expected.path === undefined ? [] : differs("path", echoed?.path, expected.path)),
    ...missingHeaders("the service sees", echoed?.headers, expected.sees),
    ...missingHeaders("the client gets", headers, expected.gets),
  ];
};

const toExpected = (expected: string | number | Expected): Expected =>
  typeof expected === "string" ? { by: expected } : typeof expected === "number" ? { status: expected } : expected;

it("every behaviour of an HTTPRoute holds at a running gate, and so do its shares and mirrors", async () => {
  const received: EchoedRequest[] = [];
  const { port } = await startGateway(received);
  const failures: string[] = [];
  let asks = 0;
  // One case after the other, so that times are bounds of a gate and not of this machine.
  for (const name of names) {
    const wrong = (cases[name] as Case).exchanges.map(async ([line, expected, headers]) => {
      asks++;
      const found = mismatches(await send(port, line, hostOf(name), headers), toExpected(expected), port);
      return found.map((it) => `${name}: ${line} ${JSON.stringify(headers ?? {})}: ${it}`);
    });
    failures.push(...(await Promise.all(wrong)).flat());
  }
  expect(asks).toBeGreaterThan(150);
  expect(failures).toEqual([]);
  await expectWeights(port);
  await expectMirrors(port, received);
  await expectWebSockets(port);
});

/** As many users: a weight keeps each of them with one backend. */
const sendAsUsers = (port: number, path: string, host: string, count: number) =>
  Promise.all(
    Array.from({ length: count }, (_, user) =>
      send(port, `GET ${path}`, host, { cookie: `__Host-postern-gray=user-${user}` }),
    ),
  );

/** The tolerance makes it fail once in ten thousand runs. */
const expectAboutHalf = (count: number, of: number): void => {
  expect(count).toBeGreaterThan(0.3 * of);
  expect(count).toBeLessThan(0.7 * of);
};

const expectWeights = async (port: number): Promise<void> => {
  const answers = await sendAsUsers(port, "/weights", "weights.example", 200);
  const share = (name: string) => answers.filter(({ echoed }) => echoed?.by === name).length / answers.length;
  expect(share("v1")).toBeGreaterThan(0.57);
  expect(share("v1")).toBeLessThan(0.83);
  expect([share("v3"), share("v1") + share("v2")]).toEqual([0, 1]);
  for (const { echoed } of await sendAsUsers(port, "/own", "weights.example", 30))
    expect(echoed?.headers.backend).toBe(echoed?.by);
  // Of two backends, one is none.
  const broken = (await sendAsUsers(port, "/half", "weights.example", 100)).filter(({ status }) => status === 500);
  expectAboutHalf(broken.length, 100);
};

const expectMirrors = async (port: number, received: EchoedRequest[]): Promise<void> => {
  received.length = 0;
  const { echoed } = await send(port, "POST /two?a=1", "mirrors.example", { "content-length": "5" }, "hello");
  expect(echoed?.by).toBe("v1");
  await expect.poll(() => received.map(({ by }) => by).sort()).toEqual(["v1", "v2", "v3"]);
  for (const it of received) expect([it.path, it.body, it.headers["x-set"]]).toEqual(["/two?a=1", "hello", "mine"]);
  const mirrored = async (path: string) => {
    received.length = 0;
    for (const answer of await sendAsUsers(port, path, "mirrors.example", 100)) expect(answer.echoed?.by).toBe("v1");
    // What was on its way is there once this one is.
    await send(port, "POST /two?last", "mirrors.example");
    await expect.poll(() => received.filter((it) => it.path === "/two?last")).toHaveLength(3);
    return received.filter((it) => it.by === "v2" && it.path !== "/two?last").length;
  };
  expectAboutHalf(await mirrored("/percent"), 100);
  expect(await mirrored("/fraction")).toBeLessThan(10);
  expect(await mirrored("/gone")).toBe(0);
};

const expectWebSockets = async (port: number): Promise<void> => {
  const opened = (path: string) =>
    new WebSocket(`ws://localhost:${port}${path}`, { headers: { host: `sockets.example:${port}` } });
  const socket = opened("/live");
  const messages: unknown[] = [];
  socket.on("message", (data, binary) => messages.push(binary ? [...(data as Buffer)] : String(data)));
  await new Promise((open, fail) => socket.on("open", open).on("error", fail));
  socket.send("a text");
  socket.send(Buffer.from([1, 2, 3]));
  await expect.poll(() => messages).toEqual(["a text", [1, 2, 3]]);
  socket.close();
  const refused = await new Promise((resolve) => opened("/plain").on("error", resolve).on("open", resolve));
  expect(refused).toBeInstanceOf(Error);
};
