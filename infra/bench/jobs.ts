/** The five jobs, said once: what the gate's filters and Hono's middleware are both told, and a caller who passes them all. */
import { exportJWK, generateKeyPair, type JWK, SignJWT } from "jose";

/** Plain data: the manifest of a gate is made of it, and it stands as a module beside Hono's bundle. */
export interface Jobs {
  /** CORS: whose pages may read responses, and which header they may read. */
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
  /** Body limit. */
  readonly maxBytes: number;
  /** Client addresses. */
  readonly allowed: readonly string[];
}

export interface Caller {
  readonly jobs: Jobs;
  /** The token's subject, which the upstream is told. */
  readonly customer: string;
  /** Headers of a request that every subject lets pass. */
  readonly headers: Readonly<Record<string, string>>;
  /** A well-formed token that somebody else has signed. */
  readonly forgedToken: string;
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
    maxBytes: 16 * 1024,
    allowed: ["10.0.0.0/8", "2001:db8::/32"],
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
  };
};

const algorithm = "RS256";
const kid = "bench";

const keyPair = () => generateKeyPair(algorithm, { extractable: true });

const token = (keys: Awaited<ReturnType<typeof keyPair>>, { issuer, audience }: Jobs, subject: string) =>
  new SignJWT()
    .setProtectedHeader({ alg: algorithm, kid })
    .setIssuer(issuer)
    .setAudience(audience)
    .setSubject(subject)
    .setIssuedAt()
    .setExpirationTime("2h")
    .sign(keys.privateKey);
