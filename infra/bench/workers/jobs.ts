/** The five jobs, as data for both the gate's filters and Hono's middleware, and a client that passes them all. */
import { exportJWK, generateKeyPair, type JWK, SignJWT } from "jose";

/** Plain data: a gate's manifest is made of it, and it is a module beside Hono's bundle. */
export interface Jobs {
  /** CORS: the allowed origin, and the header that its pages may read. */
  readonly origin: string;
  readonly exposed: string;
  /** JWT. */
  readonly issuer: string;
  readonly audience: string;
  readonly algorithm: string;
  readonly key: JWK;
  readonly leewaySeconds: number;
  /** Headers. */
  readonly customerHeader: string;
  readonly removedFromRequest: readonly string[];
  readonly setInResponse: readonly [name: string, value: string];
  readonly removedFromResponse: string;
  /** Rate limit, in memory, by customer. */
  readonly requestsAnHour: number;
}

export interface Caller {
  readonly jobs: Jobs;
  /** The token's subject, which the upstream receives. */
  readonly customer: string;
  /** Headers that every subject accepts. */
  readonly headers: Readonly<Record<string, string>>;
  /** A well-formed token with another signature. */
  readonly forgedToken: string;
  /** Fresh tokens of the same customer. */
  readonly freshTokens: (count: number) => Promise<readonly string[]>;
}

export const makeCaller = async (): Promise<Caller> => {
  const [own, foreign] = await Promise.all([keyPair(), keyPair()]);
  const jobs: Jobs = {
    origin: "https://shop.acme.example",
    exposed: "x-request-id",
    issuer: "https://identity.acme.example",
    audience: "orders",
    algorithm,
    key: { ...(await exportJWK(own.publicKey)), kid, alg: algorithm, use: "sig" },
    leewaySeconds: 5,
    customerHeader: "x-customer",
    removedFromRequest: ["authorization", "cookie"],
    setInResponse: ["strict-transport-security", "max-age=31536000"],
    removedFromResponse: "x-powered-by",
    requestsAnHour: 10_000_000,
  };
  const customer = "alice";
  return {
    jobs,
    customer,
    headers: {
      accept: "application/json",
      "user-agent": "postern-bench",
      origin: jobs.origin,
      cookie: "session=0123456789abcdef",
      authorization: `Bearer ${await token(own, jobs, customer)}`,
      "cf-connecting-ip": "10.1.2.3",
    },
    forgedToken: await token(foreign, jobs, customer),
    freshTokens: (count) =>
      Promise.all(Array.from({ length: count }, (_, index) => token(own, jobs, customer, `fresh-${index}`))),
  };
};

const algorithm = "RS256";
const kid = "bench";

const keyPair = () => generateKeyPair(algorithm, { extractable: true });

const token = (keys: Awaited<ReturnType<typeof keyPair>>, { issuer, audience }: Jobs, subject: string, id = "") =>
  new SignJWT()
    .setJti(id)
    .setProtectedHeader({ alg: algorithm, kid })
    .setIssuer(issuer)
    .setAudience(audience)
    .setSubject(subject)
    .setIssuedAt()
    .setExpirationTime("2h")
    .sign(keys.privateKey);
