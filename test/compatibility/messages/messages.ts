/** What a row of this table says. */
import type { Row } from "../row.ts";
import type { Reply } from "./wire.ts";

/** Values of fields: one, several in their order, or null for none. */
type Fields = Readonly<Record<string, string | readonly string[] | null>>;

export interface MessageRow extends Row {
  /** What the client sends, byte by byte. */
  readonly send: string;
  /** By default `served`, with its length. */
  readonly reply?: Reply;
  readonly gets: {
    readonly status: number;
    /** Of the problem, where the gateway answers. */
    readonly code?: string;
    readonly headers?: Fields;
    readonly body?: string;
    /** How many answers there are; by default one. */
    readonly times?: number;
  };
  readonly sees?:
    | "nothing"
    | {
        readonly line?: string;
        readonly headers?: Fields;
        /** Out of its chunks. */
        readonly body?: string;
      };
  /** Whether the service is to blame; nobody else ever makes a request that failed. */
  readonly serviceFails?: true;
  /** The service that mirrors sees the same. */
  readonly isCopied?: true;
  /** Signed when it is sent: the fields stand in place of `{signature}`. */
  readonly isSigned?: true;
}

export const host = "Host: localhost";

/** A request of HTTP/1.1 to this host. */
export const request = (line: string, headers: readonly string[] = [], body = ""): string =>
  bare(`${line} HTTP/1.1`, [host, ...headers], body);

export const bare = (line: string, headers: readonly string[], body = ""): string =>
  `${[line, ...headers].join("\r\n")}\r\n\r\n${body}`;

export const answer = (headers: readonly string[], body = "", status = "200 OK"): string =>
  bare(`HTTP/1.1 ${status}`, headers, body);

export const plainReply: Reply = { bytes: answer(["Content-Length: 6"], "served") };

/** The project that all rows meet. */
export const filesOf = (service: string, copies: string) => ({
  "routes/environments/local.yaml": `values: {}\ndev: { secrets: { SIGNING_KEY: ${signingKey} } }\n`,
  "routes/m.yaml": `api: postern/v1
tier: m
hosts: [localhost]
base: /m
limits: { body: 64KiB }
upstreams:
  it: { http: "${service}" }
  short: { http: "${service}", timeout: 500ms }
  peer: { worker: peer }
routes:
  socket: { match: GET /ws, upgrade: websocket, to: it }
  mirrored: { match: ANY /mirrored, to: it, filters: [mirror: { to: "${copies}" }] }
  checked: { match: POST /checked, to: it, filters: [body-limit: 1KiB, validate: { body: { type: object } }] }
  signed: { match: ANY /signed, to: it, filters: [body-limit: 1KiB, signature: { keys: { k: { secret: SIGNING_KEY, consumer: shop } } }] }
  small: { match: ANY /small, to: it, filters: [body-limit: 8B] }
  large: { match: ANY /large, to: it, filters: [body-limit: 1MiB] }
  worker: { match: ANY /worker, to: peer }
  short: { match: ANY /short, to: short }
  beta: { match: GET /beta, when: { cookie: { beta: "yes" } }, path: /beta-of-cookie, to: it }
  session: { match: GET /session, to: it, filters: [jwt: { issuer: us, audience: it, algorithms: [EdDSA], keys: [{ kty: OKP, crv: Ed25519, x: 11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo, kid: k, alg: EdDSA }], from: cookie.session }] }
  all: { match: "ANY /{rest*}", to: it }
`,
});

export const signingKey = "a-key-of-more-than-16-letters";
