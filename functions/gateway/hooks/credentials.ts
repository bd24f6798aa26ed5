/** How tools produce what an identity filter reads: for a persona of a test case, and for `postern sign`. */
import type { ZodType } from "zod";

export type Jwk = Readonly<Record<string, unknown>>;

export interface KeyPair {
  readonly ownKeys: Jwk;
  readonly published: Jwk;
}

/** Who sends a request of a test case. Beside these it has the keys that identity filters add, such as `token`. */
export interface Persona {
  readonly name: string;
  /** Brings a credential that looks right and is not: the filter has to refuse it. */
  readonly forged?: true | undefined;
  readonly [key: string]: unknown;
}

/** What the filters of a route require of a token, whichever filter verifies it. */
export interface Requirements {
  readonly scopes?: readonly string[];
  /** By the paths that lead to them. */
  readonly claims?: Readonly<Record<string, unknown>>;
}

export interface Issue<Config> {
  readonly config: Config;
  readonly persona: Persona;
  /** Of all filters of the route, in their order: scopes, and claims with a value that fits. */
  readonly required: {
    readonly scopes: readonly string[];
    readonly claims: readonly (readonly [path: string, value: unknown])[];
  };
  /** Ids of the consumers in `routes/consumers.yaml`. */
  readonly consumers: readonly string[];
  /** The value of a secret in this test run. */
  readonly secret: (name: string) => string;
  /** An API key of this test run: a consumer's, which `routes/consumers.yaml` then has, or one that nobody has. */
  readonly apiKey: (consumer: string | undefined) => string;
  /** A secret that nobody has. */
  readonly unknownSecret: () => string;
}

/** A credential as JSON: it travels to where the request is sent, and `present` makes headers of it there. */
export interface Issued<Credential = unknown> {
  readonly credential: Credential;
  /** Where it stands: `header.x-api-key`, `cookie.session`, `query.token`. What a case writes there itself is kept. */
  readonly places?: readonly string[];
}

/** The sending of one request. */
export interface Sending {
  readonly request: Request;
  /** The body as it should arrive. */
  readonly body: string | null;
  /** Milliseconds since the epoch, by the clock of the case. */
  readonly now: number;
  readonly uuid: () => string;
  /** Key pairs of the test run, by algorithm: those that `algorithms` asks for. */
  readonly keys: Readonly<Record<string, KeyPair>>;
  /** Puts a key into the KV namespace of revoked credentials. */
  readonly revoke: (key: string) => void;
}

/** What becomes of the request: headers that are set, in their order, and another URL where the credential is in the query. */
export interface Presented {
  readonly headers?: Readonly<Record<string, string>>;
  readonly url?: string;
}

/** The export `present` of a filter's file. Without it, a credential is a `Presented` by itself. */
export type Present<Credential = unknown> = (
  credential: Credential,
  sending: Sending,
) => Presented | Promise<Presented>;

export interface Credentials<Config> {
  /** What the filter shows a persona as. @returns a sentence where it can have none, such as for a name that nobody has */
  readonly issue: (given: Issue<Config>) => Issued | string;
  /** The key under `as` by which a case changes a persona's credential, and its schema. */
  readonly persona?: {
    readonly key: string;
    readonly schema: () => ZodType;
    /** Algorithms of key pairs that a value of the key needs. */
    readonly algorithms?: (value: unknown) => readonly string[];
  };
  /** Consumers whom the configuration knows, of whom first cases take the first. By default it knows anybody. */
  readonly knows?: (config: Config, consumers: readonly string[]) => readonly string[];
  /** Algorithms of the key pairs that a test run needs. */
  readonly algorithms?: (config: Config) => readonly string[];
  /** Keys of the configuration that a test run replaces, so that the filter trusts the run's own public keys. */
  readonly trusting?: (config: Config, published: readonly Jwk[]) => Readonly<Record<string, unknown>>;
  /** The credential covers the rest of the request, so it is presented after all others. */
  readonly coversRequest?: boolean;
  /** How a client with a key of the manifest makes one; without it, `postern sign` makes none. */
  readonly sign?: {
    /** Names of secrets, by the ids of the keys. */
    readonly keys: (config: Config) => Readonly<Record<string, string>>;
    /** @param covers headers of the request */
    readonly issue: (config: Config, id: string, secret: string, covers: readonly string[]) => unknown;
  };
}
