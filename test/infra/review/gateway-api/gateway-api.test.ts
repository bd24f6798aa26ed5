/** What HTTPRoutes mean, tried at a running gate: imported, compiled, and asked. */
import http from "node:http";
import { expect, it } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { importGatewayApi } from "../../../../infra/review/import/gateway-api/import.ts";
import { type City, city, type Files, service } from "../../../e2e/project.ts";
import { backends, shares, sockets } from "./backends.ts";
import { filters, origins } from "./filters.ts";
import { hosts } from "./hosts.ts";
import { matching } from "./matching.ts";
import type { Case, Expected } from "./case-helpers.ts";

const cases: Readonly<Record<string, Case>> = { ...matching, ...hosts, ...filters, ...origins, ...backends };
const names = Object.keys(cases);
const hostOf = (name: string): string => `case-${names.indexOf(name) + 1}.example`;

/** What a service was asked. */
interface Asked {
  readonly by: string;
  readonly path: string;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly asked: Asked | undefined;
}

/** Says what it was asked; `?delay=` is its time in ms, `?back=` the headers that it answers with. */
const echo =
  (by: string, heard: Asked[]): http.RequestListener =>
  (request, response) => {
    let body = "";
    request.on("data", (chunk) => {
      body += chunk;
    });
    request.on("end", () => {
      const asked = { by, path: request.url ?? "", headers: request.headers, body };
      heard.push(asked);
      const { searchParams } = new URL(request.url ?? "", "http://any.example");
      for (const pair of searchParams.get("back")?.split(",") ?? [])
        response.setHeader(...(pair.split(":") as [string, string]));
      setTimeout(() => response.end(JSON.stringify(asked)), Number(searchParams.get("delay") ?? 0));
    });
  };

const tiersOf = (resources: string, tier: string, host: string) =>
  importGatewayApi([{ file: `${tier}.yaml`, text: resources }], { tier, host: [host] });

/** All of it behind one front, in one Worker, which is up in no time. */
const started = async (heard: Asked[]): Promise<City> => {
  const services = await Promise.all(
    ["v1", "v2", "v3"].map(async (name) => [name, await service(echo(name, heard))] as const),
  );
  const all = [
    ...names.map((name, index) => tiersOf((cases[name] as Case).resources, `c${index + 1}`, hostOf(name))),
    ...Object.entries({ ...shares, sockets }).map(([name, text]) => tiersOf(text, name, `${name}.example`)),
  ];
  const urlOf = (variable: string) => services.find(([name]) => variable.includes(`-${name}-`))?.[1].url;
  for (const [, { server }] of services)
    new WebSocketServer({ server }).on("connection", (socket) =>
      socket.on("message", (said, binary) => socket.send(said, { binary })),
    );
  const values = Object.fromEntries(all.flatMap((it) => Object.keys(it.values).map((name) => [name, urlOf(name)])));
  const files: Files = Object.fromEntries([
    ["routes/environments/local.yaml", `values: ${JSON.stringify(values)}\n`],
    ...all.flatMap(({ files }) => files.map((it) => [it.file, `${it.text}isolation: shared\n`])),
  ]);
  return city(files);
};

const ask = (
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
          resolve({ status, headers, asked: ours ? (JSON.parse(text) as Asked) : undefined });
        });
      },
    );
    request.on("error", reject);
    request.end(body);
  });
};

/** What is otherwise than it has to be. */
const misfits = ({ status, headers, asked }: Answer, expected: Expected, port: number): string[] => {
  const differs = (what: string, is: unknown, wanted: unknown) =>
    is === wanted ? [] : [`${what}: ${is}, not ${wanted}`];
  const lacks = (what: string, given: http.IncomingHttpHeaders | undefined, wanted: Expected["sees"] = {}) =>
    Object.entries(wanted).flatMap(([name, value]) =>
      differs(`${what} ${name}`, given?.[name] ?? null, value?.replace("PORT", String(port)) ?? null),
    );
  return [
    ...differs("status", status, expected.status ?? 200),
    ...(expected.by === undefined ? [] : differs("answered by", asked?.by, expected.by)),
    ...(expected.path === undefined ? [] : differs("asked for", asked?.path, expected.path)),
    ...lacks("the service sees", asked?.headers, expected.sees),
    ...lacks("the client gets", headers, expected.gets),
  ];
};

const wanted = (expected: string | number | Expected): Expected =>
  typeof expected === "string" ? { by: expected } : typeof expected === "number" ? { status: expected } : expected;

it("every behaviour of an HTTPRoute holds at a running gate, and so do its shares and mirrors", async () => {
  const heard: Asked[] = [];
  const { port } = await started(heard);
  const told: string[] = [];
  let asks = 0;
  // One case after the other, so that times are bounds of a gate and not of this machine.
  for (const name of names) {
    const wrong = (cases[name] as Case).asks.map(async ([line, expected, headers]) => {
      asks++;
      const found = misfits(await ask(port, line, hostOf(name), headers), wanted(expected), port);
      return found.map((it) => `${name}: ${line} ${JSON.stringify(headers ?? {})}: ${it}`);
    });
    told.push(...(await Promise.all(wrong)).flat());
  }
  expect(asks).toBeGreaterThan(150);
  expect(told).toEqual([]);
  await weightsAreKept(port);
  await mirrorsAreSent(port, heard);
  await socketsAreHeld(port);
});

/** As many users: a weight keeps each of them with one backend. */
const many = (port: number, path: string, host: string, count: number) =>
  Promise.all(
    Array.from({ length: count }, (_, user) =>
      ask(port, `GET ${path}`, host, { cookie: `__Host-postern-gray=user-${user}` }),
    ),
  );

/** Of so many, a share may be told with so much certainty that it fails once in ten thousand runs. */
const isHalf = (count: number, of: number): void => {
  expect(count).toBeGreaterThan(0.3 * of);
  expect(count).toBeLessThan(0.7 * of);
};

const weightsAreKept = async (port: number): Promise<void> => {
  const answers = await many(port, "/weights", "weights.example", 200);
  const share = (name: string) => answers.filter(({ asked }) => asked?.by === name).length / answers.length;
  expect(share("v1")).toBeGreaterThan(0.57);
  expect(share("v1")).toBeLessThan(0.83);
  expect([share("v3"), share("v1") + share("v2")]).toEqual([0, 1]);
  for (const { asked } of await many(port, "/own", "weights.example", 30))
    expect(asked?.headers.backend).toBe(asked?.by);
  // Of two backends, one is none.
  const broken = (await many(port, "/half", "weights.example", 100)).filter(({ status }) => status === 500);
  isHalf(broken.length, 100);
};

const mirrorsAreSent = async (port: number, heard: Asked[]): Promise<void> => {
  heard.length = 0;
  const { asked } = await ask(port, "POST /two?a=1", "mirrors.example", { "content-length": "5" }, "hello");
  expect(asked?.by).toBe("v1");
  await expect.poll(() => heard.map(({ by }) => by).sort()).toEqual(["v1", "v2", "v3"]);
  for (const it of heard) expect([it.path, it.body, it.headers["x-set"]]).toEqual(["/two?a=1", "hello", "mine"]);
  const mirrored = async (path: string) => {
    heard.length = 0;
    for (const answer of await many(port, path, "mirrors.example", 100)) expect(answer.asked?.by).toBe("v1");
    // What was on its way is there once this one is.
    await ask(port, "POST /two?last", "mirrors.example");
    await expect.poll(() => heard.filter((it) => it.path === "/two?last")).toHaveLength(3);
    return heard.filter((it) => it.by === "v2" && it.path !== "/two?last").length;
  };
  isHalf(await mirrored("/percent"), 100);
  expect(await mirrored("/fraction")).toBeLessThan(10);
  expect(await mirrored("/gone")).toBe(0);
};

const socketsAreHeld = async (port: number): Promise<void> => {
  const opened = (path: string) =>
    new WebSocket(`ws://localhost:${port}${path}`, { headers: { host: `sockets.example:${port}` } });
  const socket = opened("/live");
  const said: unknown[] = [];
  socket.on("message", (data, binary) => said.push(binary ? [...(data as Buffer)] : String(data)));
  await new Promise((open, fail) => socket.on("open", open).on("error", fail));
  socket.send("a text");
  socket.send(Buffer.from([1, 2, 3]));
  await expect.poll(() => said).toEqual(["a text", [1, 2, 3]]);
  socket.close();
  const refused = await new Promise((resolve) => opened("/plain").on("error", resolve).on("open", resolve));
  expect(refused).toBeInstanceOf(Error);
};
