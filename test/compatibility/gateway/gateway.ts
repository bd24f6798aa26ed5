/** A front with gates that show the gate's own behaviour: CORS, shares, caches, redirects, request ids. */
import type http from "node:http";
import { send } from "../../e2e/client.ts";
import {
  manifest,
  type RunningProject,
  type Service,
  startProject,
  startService,
  stopService,
} from "../../e2e/project.ts";
import type { Row } from "../row.ts";

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
  /** Of a problem. */
  readonly code: string | undefined;
}

export interface RequestOptions {
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string;
  /** The client's address, one of 127.0.0.0/8. */
  readonly from?: string;
}

export interface Gateway {
  readonly port: number;
  /** Of the service, as it knows itself. */
  readonly service: string;
  /** What the service was sent last. */
  readonly seen: () => http.IncomingMessage;
  /** How often the service received this path. */
  readonly times: (path: string) => number;
  /** @param line `GET /open/item` */
  readonly ask: (line: string, ask?: RequestOptions) => Promise<Answer>;
  readonly stop: () => Promise<void>;
}

export interface GatewayRow extends Row {
  readonly holds: (gateway: Gateway) => Promise<void>;
}

/** Answers with the path that it received, and as `answer-…` headers say. */
const serviceListener = (seen: http.IncomingMessage[]): http.RequestListener => {
  let served = 0;
  return (request, response) => {
    seen.push(request);
    const { url = "", headers } = request;
    if (url.includes("/slow")) return;
    for (const [name, value] of Object.entries(headers))
      if (name.startsWith("answer-")) response.setHeader(name.slice("answer-".length), value as string);
    response.writeHead(Number(headers["x-status"] ?? 200));
    response.end(JSON.stringify({ service: ++served, url }));
  };
};

const shop = "https://shop.example";

const files = (url: string): Readonly<Record<string, string>> => ({
  "routes/environments/local.yaml":
    "front: { gray-key: { header: x-device-id }, request-id: { accept: true } }\nvalues: {}\n",
  "routes/open.yaml": manifest(
    "open",
    `filters:
  - csrf: { origins: ["${shop}"] }
  - cors: { origins: ["*"], max-age: 1500ms, headers: "*" }
  - jwt: { issuer: "https://id.example", audience: open, algorithms: [EdDSA] }
upstreams: { it: { http: "${url}" }, late: { http: "${url}", timeout: 150ms }, gone: { http: "http://localhost:9" } }
routes:
  item: { match: "GET,POST /item", without: [jwt], to: it }
  private: { match: GET /private, to: it }
  slow: { match: GET /slow, without: [jwt], to: late }
  gone: { match: GET /gone, without: [jwt], to: gone }
  small: { match: POST /small, without: [jwt], filters: [{ body-limit: 8B }], to: it }
  shut: { match: GET /shut, without: [jwt], to: it, closed: { retry-after: 1h } }
  beta: { match: GET /beta, without: [jwt], when: { header: { x-beta: present } }, to: it }
  plain: { match: GET /plain, without: [jwt, cors], to: it }
`,
  ),
  "routes/shop.yaml": manifest(
    "shop",
    `filters:
  - cors: { origins: ["${shop}", "https://*.shop.example"], credentials: true, expose: [x-total, x-request-id] }
upstreams: { it: { http: "${url}" } }
routes:
  item: { match: GET /item, to: it }
  own: { match: PUT /own, to: it }
`,
  ),
  "routes/bare.yaml": manifest(
    "bare",
    `upstreams: { it: { http: "${url}" } }
routes:
  item: { match: GET /item, filters: [{ cors: { origins: ["*"] } }], to: it }
  everybody: { match: GET /everybody, filters: [{ cors: { origins: ["*"], credentials: everybody } }], to: it }
`,
  ),
  "routes/shares.yaml": manifest(
    "shares",
    `upstreams:
  one: { http: "${url}/one" }
  two: { http: "${url}/two" }
routes:
  weights: { match: GET /weights, to: [{ one: 50 }, { two: 50 }] }
  moved: { match: GET /moved, to: one, cutover: { legacy: two, percent: 50% } }
  guarded:
    match: GET /guarded
    filters:
      - { ip: { deny: [203.0.113.0/24] }, id: known }
      - { ip: { deny: [127.0.0.0/8] }, id: new, percent: 50% }
    to: one
`,
  ),
  "routes/files.yaml": manifest(
    "files",
    `upstreams:
  it: { http: "${url}" }
  signed: { http: { url: "${url}", sign: { secret: FILES_KEY } } }
routes:
  signed: { match: "GET /signed/{rest*}", to: signed }
  mirrored: { match: "GET /mirrored/{rest*}", filters: [{ mirror: "${url}/copy" }], to: it }
`,
  ),
  "routes/places.yaml": manifest(
    "places",
    `upstreams:
  it: { http: "${url}/api" }
  kept: { http: { url: "${url}/api", location: keep } }
routes:
  stripped: { match: "GET,POST /orders/{id}", to: it, path: "/orders/{path.id}" }
  renamed: { match: "GET,POST /transfers", to: it, path: /payments }
  same: { match: "GET /same/{rest*}", to: it }
  kept: { match: GET /kept, to: kept }
`,
  ),
});

export const startGateway = async (): Promise<Gateway> => {
  const seen: http.IncomingMessage[] = [];
  const service: Service = await startService(serviceListener(seen));
  const project: RunningProject = await startProject(files(service.url), {
    realism: { kvMs: 60_000, objectMs: 5, evictMs: 3_600_000 },
    secrets: { FILES_KEY: "0123456789abcdef0123456789abcdef" },
  });
  return {
    port: project.port,
    service: service.url,
    seen: () => seen.at(-1) as http.IncomingMessage,
    times: (path) => seen.filter(({ url }) => url === path).length,
    ask: (line, ask) => sendRequest(project.port, line, ask),
    stop: async () => {
      await project.stop();
      stopService(service);
    },
  };
};

const sendRequest = async (port: number, line: string, { headers, ...ask }: RequestOptions = {}): Promise<Answer> => {
  const [method, path = ""] = line.split(" ");
  const answer = await send(port, { ...ask, method, path, headers: headers as http.OutgoingHttpHeaders });
  const isProblem = answer.headers["content-type"] === "application/problem+json";
  return {
    status: answer.status,
    headers: Object.fromEntries(Object.entries(answer.headers).map(([name, value]) => [name, String(value)])),
    body: answer.text,
    code: isProblem ? JSON.parse(answer.text).code : undefined,
  };
};
