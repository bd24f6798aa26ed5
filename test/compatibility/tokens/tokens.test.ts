/** Sends the rows' tokens through a front and a gate to a service, over HTTP and by WebSocket. */
import http from "node:http";
import { afterAll, beforeAll, expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { sign as signRequest } from "../../../infra/commands/authoring/sign.ts";
import {
  logRecords,
  manifest,
  type RunningProject,
  type Service,
  startProject,
  startService,
  stopService,
} from "../../e2e/project.ts";
import { table } from "../row.ts";
import { published, sign } from "./kit.ts";
import { rows, type TokenRow } from "./rows.ts";

let issuer: Service;
let service: Service;
let running: RunningProject;

const usual = [published("rsa", { kid: "k1", use: "sig", alg: "RS256" })];
const numberOf = (row: TokenRow): number => rows.indexOf(row);
const issuerOf = (row: TokenRow): string => `${issuer.url}/${numberOf(row)}`;

/** A route of its own for each row, with an issuer of its own. */
const routeOf = (row: TokenRow): [string, object] => {
  const settings = { issuer: issuerOf(row), audience: "wallet", algorithms: ["RS256"], ...row.jwt };
  const jwt = Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== null));
  const consumerHeader = { headers: { request: { add: { "x-consumer": "{consumer.id}" } } } };
  const filters = [
    { jwt },
    consumerHeader,
    ...(row.behind ?? []).map((it, index) => ({ ...it, id: `behind-${index}` })),
  ];
  const path = `/${numberOf(row)}`;
  return [`row-${numberOf(row)}`, { match: `GET ${path}`, upgrade: "websocket", filters, to: "service" }];
};

const shopKey = "a-key-of-the-shop-1";

/** Takes a token in the query or a cookie, and a signature over the request that holds it. */
const signedRoute = (): object => {
  const issuerUrl = `${issuer.url}/0`;
  const settings = { issuer: issuerUrl, keys: usual, audience: "wallet", algorithms: ["RS256"] };
  const filters = [
    { "body-limit": "1KiB" },
    { jwt: { ...settings, from: ["query.token", "cookie.session"] } },
    { signature: { keys: { "shop-1": { secret: "SHOP_KEY", consumer: "shop" } } } },
  ];
  return { one: { match: "GET /one", filters, to: "service" } };
};

interface Seen {
  readonly url: string;
  readonly headers: http.IncomingHttpHeaders;
}

const seen: Seen[] = [];
/** Rows whose key set was fetched. */
const rowsWithKeys = new Set<TokenRow | undefined>();

beforeAll(async () => {
  issuer = await startService((request, response) => {
    const [, index, ...rest] = (request.url ?? "").split("/");
    const row = rows[Number(index)];
    rowsWithKeys.add(row);
    if (row?.outage) response.statusCode = 500;
    response.setHeader("content-type", "application/json");
    response.end(rest.join("/") === ".well-known/jwks.json" ? JSON.stringify({ keys: row?.set ?? usual }) : "{}");
  });
  service = await startService(({ url = "", headers }, response) => {
    seen.push({ url, headers });
    response.end("ok");
  });
  const sockets = new WebSocketServer({ server: service.server });
  sockets.on("connection", (socket: WebSocket, { url = "", headers }: http.IncomingMessage) => {
    seen.push({ url, headers });
    socket.close();
  });
  const routes = Object.fromEntries(rows.map(routeOf));
  const upstreams = `upstreams: { service: { http: "${service.url}" } }`;
  running = await startProject(
    {
      "routes/t.yaml": manifest(
        "t",
        `accept-headers: [x-goog-iap-jwt-assertion]\n${upstreams}\nroutes: ${JSON.stringify(routes, null, 1)}\n`,
      ),
      "routes/signed.yaml": manifest("signed", `${upstreams}\nroutes: ${JSON.stringify(signedRoute())}\n`),
      "routes/environments/local.yaml": `values: {}\ndev: { secrets: { SHOP_KEY: ${shopKey} } }\n`,
    },
    { secrets: { SHOP_KEY: shopKey } },
  );
});

afterAll(async () => {
  await running?.stop();
  for (const it of [issuer, service]) if (it) stopService(it);
});

interface Received {
  readonly status: number;
  readonly code: string | undefined;
  readonly protocol: string | undefined;
}

const sentBy = (row: TokenRow, token: string): Promise<Received> => {
  const { query = "", headers = {} } = row.sent?.(token) ?? {
    headers: row.offers ? {} : { authorization: `Bearer ${token}` },
  };
  const offered = row.offers?.(token);
  const handshake = offered && {
    connection: "Upgrade",
    upgrade: "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    "sec-websocket-protocol": offered.join(", "),
  };
  return new Promise((received, failed) => {
    const request = http.get(`${running.url}/t/${numberOf(row)}${query}`, { headers: { ...headers, ...handshake } });
    request.once("error", failed);
    request.once("upgrade", ({ statusCode = 0, headers }, socket) => {
      socket.destroy();
      received({ status: statusCode, code: undefined, protocol: headers["sec-websocket-protocol"] });
    });
    request.once("response", async (response) => {
      const text = (await response.toArray()).join("");
      const isProblem = response.headers["content-type"] === "application/problem+json";
      const code = isProblem ? JSON.parse(text).code : undefined;
      received({ status: response.statusCode ?? 0, code, protocol: undefined });
    });
  });
};

table(rows, async (row) => {
  const signed = await sign(issuerOf(row), row.token);
  const token = (await row.altered?.(signed)) ?? signed;
  const { right } = row;
  for (const time of ["first", "again"]) {
    seen.length = 0;
    const { status, code, protocol } = await sentBy(row, token);
    expect({ time, status, code: code ?? right.code }).toEqual({
      time,
      status: right.status,
      code: right.code ?? code,
    });
    if (right.code !== undefined) expect(code).toBe(right.code);
    if (right.asksIssuer !== undefined) expect(rowsWithKeys.has(row)).toBe(right.asksIssuer);
    if (right.protocol) expect(protocol).toBe(right.protocol(token));
    if (status >= 400) {
      expect(seen).toEqual([]);
      continue;
    }
    expect(seen).toHaveLength(1);
    const [{ url, headers }] = seen as [Seen];
    if (right.consumer !== undefined) expect(headers["x-consumer"]).toBe(right.consumer);
    if (right.target !== undefined) expect(url).toBe(`/t/${numberOf(row)}${right.target}`);
    for (const [name, value] of Object.entries(right.headers ?? {}))
      expect([name, headers[name] ?? null]).toEqual([name, value]);
    if (row.jwt?.from !== undefined)
      expect(JSON.stringify({ url, ...headers, authorization: "" })).not.toContain(token);
  }
});

test.each(rows.filter(({ right }) => right.protocol))(
  "a client that closes what nobody has chosen stays: $it",
  async (row) => {
    const token = await sign(issuerOf(row), row.token);
    const { query = "", headers = {} } = row.sent?.(token) ?? {};
    const url = `${running.url.replace("http", "ws")}/t/${numberOf(row)}${query}`;
    const socket = new WebSocket(url, [...(row.offers?.(token) ?? [])], { headers });
    await new Promise((opened, failed) => socket.once("open", opened).once("error", failed));
    expect(socket.protocol).toBe(row.right.protocol?.(token));
    socket.terminate();
  },
);

test("`postern sign` signs a request with a token in it, and the service sees neither", async () => {
  const token = await sign(`${issuer.url}/0`, { header: { kid: "k1" } });
  for (const [query, header] of [
    [`?a=1&token=${token}`, []],
    ["?a=1", [`cookie: a=b; session=${token}`]],
  ] as const) {
    seen.length = 0;
    const url = `${running.url}/signed/one${query}`;
    const { data } = await signRequest("GET", url, { root: running.root, header });
    const { headers } = data as { readonly headers: Record<string, string> };
    const status = await new Promise((received) =>
      http.get(url, { headers }, ({ statusCode }) => received(statusCode)),
    );
    expect([status, seen[0]?.url, seen[0]?.headers.cookie]).toEqual([
      200,
      "/signed/one?a=1",
      header.length > 0 ? "a=b" : undefined,
    ]);
  }
});

test("no line of the gates holds a token, or a fault other than that of key sets that cannot be had", () => {
  expect(logRecords(running).filter(({ type }) => type === "access").length).toBeGreaterThan(rows.length);
  expect(running.lines.filter((line) => /eyJ[\w-]+\.[\w-]+\./.test(line))).toEqual([]);
  const faults = running.lines.filter((line) => line.includes('"type":"fault"'));
  expect(faults.filter((line) => !line.includes('"code":"keys-unavailable"'))).toEqual([]);
});
