/**
 * The gateway that all wire targets call: one front, gates with every filter, and a service that never fails, so that each
 * 5xx is caused by a client or by Postern.
 */
import { exportJWK, generateKeyPair } from "jose";
import {
  manifest,
  type RunningProject,
  type Service,
  startProject,
  startService,
  stopService,
} from "../e2e/project.ts";
import type { GatewayAddress } from "./target.ts";

export interface FuzzGateway {
  readonly address: GatewayAddress;
  /** Faults that were logged since the last call, and machines that have ended. */
  readonly faults: () => string[];
  readonly stop: () => Promise<void>;
}

export const signingKey = "a-key-of-the-fuzzer-1";

const filesOf = (url: string, keys: readonly object[]): Record<string, string> => ({
  "routes/environments/local.yaml": `values: {}\nfront: { gray-key: { header: x-device-id } }\ndev: { secrets: { SHOP_KEY: ${signingKey} } }\n`,
  "routes/wide.yaml": `api: postern/v1
tier: wide
hosts: [localhost, "*.acme.example"]
base: /
limits: { body: 64KiB }
upstreams: { it: { http: "${url}" } }
routes:
  home: { match: GET /, to: it }
  kept: { match: "ANY /kept/{rest*}", encoded-slashes: keep, to: it }
  id: { match: "GET /ids/{id:[0-9]{1,8}}", to: it, path: "/x/{path.id}" }
  name: { match: "ANY /names/{name}/parts/{part}", to: it, path: "/{path.part}/{path.name}" }
  socket: { match: GET /ws, upgrade: websocket, to: it }
  all: { match: "ANY /{rest*}", to: it }
`,
  "routes/f.yaml": manifest(
    "f",
    `limits: { body: 64KiB }
upstreams:
  it: { http: "${url}" }
  other: { http: "${url}/other" }
routes:
  jwt:
    match: ANY /jwt
    filters:
      - jwt: { issuer: https://issuer.example, keys: ${JSON.stringify(keys)}, audience: wallet, algorithms: [RS256, ES256, EdDSA], from: [header.authorization, query.token, cookie.session] }
      - headers: { request: { set: { x-who: "{consumer.id}", x-sub: "{claim.sub}" } } }
    to: it
  signed:
    match: "ANY /signed/{rest*}"
    filters:
      - body-limit: 1KiB
      - signature: { keys: { shop-1: { secret: SHOP_KEY, consumer: shop } }, covers: [content-type] }
    to: it
  checked:
    match: POST /checked
    filters:
      - body-limit: 16KiB
      - validate:
          body:
            type: object
            required: [amount]
            properties:
              amount: { type: number, minimum: 0 }
              note: { type: string, maxLength: 20, pattern: "^[a-z ]*$" }
              list: { type: array, maxItems: 3, uniqueItems: true, items: { type: object } }
    to: it
  listed:
    match: GET /listed/{id}
    filters:
      - headers: { request: { set: { x-id: "{path.id}", x-q: "{query.q}", x-c: "{cookie.c}", x-h: "{header.x-h}", x-ip: "{client.ip}" } } }
    to: it
    path: "/l/{path.id}/{query.q}"
  browser: { match: ANY /browser, filters: [{ cors: { origins: ["https://app.example"], credentials: true, methods: [GET, POST], headers: [x-a] } }, { csrf: { origins: ["https://app.example"] } }, secure-headers: {}], to: it }
  limited: { match: GET /limited, filters: [{ rate-limit: { limit: 1000000/s, by: ip } }, { rate-limit: { limit: 1000000/m, by: [header.x-key] }, id: by-key }], to: it }
  when-a: { match: GET /when, when: { header: { x-a: { matches: "[a-z]{1,8}" } }, query: { q: { prefix: a } } }, to: it }
  when-b: { match: GET /when, when: { cookie: { c: present } }, to: it }
  moved: { match: "GET /moved/{rest*}", filters: [redirect: { to: "https://new.example/{path.rest}" }] , respond: { status: 204 } }
  rewritten: { match: "ANY /rewritten/{rest*}", filters: [rewrite: { path: "/r/{path.rest}" }], to: it }
  mirrored: { match: ANY /mirrored, filters: [mirror: "${url}/copy"], to: it }
  shared: { match: GET /shared, to: [{ it: 50 }, { other: 50 }] }
  cut: { match: GET /cut, to: it, cutover: { legacy: other, percent: 50% } }
  said: { match: ANY /said, respond: { status: 200, text: here } }
`,
  ),
});

/** Log lines that no client may cause. */
const isFault = (line: string): boolean =>
  line.includes('"type":"fault"') || /has ended|Uncaught|uncaught|threw at start|CRASH|kj::/.test(line);

export const startGateway = async (): Promise<FuzzGateway> => {
  const service: Service = await startService((request, response) => {
    request.on("error", () => {}).resume();
    request.on("end", () => response.end("served"));
  });
  service.server.on("upgrade", (_, socket) => {
    socket.on("error", () => {});
    socket.end("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  });
  const pairs = await Promise.all(["RS256", "ES256", "EdDSA"].map((it) => generateKeyPair(it, { extractable: true })));
  const keys = await Promise.all(pairs.map(({ publicKey }) => exportJWK(publicKey)));
  const project: RunningProject = await startProject(filesOf(service.url, keys), { secrets: { SHOP_KEY: signingKey } });
  const secret = await Promise.all(pairs.map(({ privateKey }) => exportJWK(privateKey)));
  return {
    address: { port: project.port, keys: secret },
    faults: () => project.lines.splice(0).filter(isFault),
    stop: async () => {
      await project.stop();
      stopService(service);
    },
  };
};
