/** How tools create the credentials that an identity filter reads: for personas of test cases, and for `postern sign`. */
import type { ZodType } from "zod";

export type Jwk = Readonly<Record<string, unknown>>;

/** A key pair of a test run, as JWKs. */
export interface KeyPair {
  /** The private key. */
  readonly ownKeys: Jwk;
  /** The public key. */
  readonly published: Jwk;
}

/** The sender of a test case's request (`as`). It also has the keys that identity filters add, such as `token`. */
export interface Persona {
  readonly name: string;
  /** Sends a well-formed credential with an invalid secret, which the filter must refuse. */
  readonly forged?: true | undefined;
  readonly [key: string]: unknown;
}

/** What the filters of a route require of a token, whichever filter verifies it. */
export interface Requirements {
  readonly scopes?: readonly string[];
  /** By claim path. */
  readonly claims?: Readonly<Record<string, unknown>>;
}

/** What a credential is created from. */
export interface IssueInput<Config> {
  readonly config: Config;
  readonly persona: Persona;
  /** What all filters of the route require, in their order: scopes, and claims with an accepted value. */
  readonly required: {
    readonly scopes: readonly string[];
    readonly claims: readonly (readonly [path: string, value: unknown])[];
  };
  /** Ids of the consumers in `routes/consumers.yaml`. */
  readonly consumers: readonly string[];
  /** The value of a secret in this test run. */
  readonly secret: (name: string) => string;
  /** An API key of this test run: the consumer's, which the run adds to its entry, or an unknown one. */
  readonly apiKey: (consumer: string | undefined) => string;
  /** A random secret. */
  readonly unknownSecret: () => string;
}

/** A credential as JSON. It is passed to the process that sends the request, where `present` writes it into headers. */
export interface Issued<Credential = unknown> {
  readonly credential: Credential;
  /** Where it is written: `header.x-api-key`, `cookie.session`, `query.token`. A case that writes there itself gets no credential. */
  readonly places?: readonly string[];
}

/** The request that a credential is written into, and its environment. */
export interface Sending {
  readonly request: Request;
  /** The complete body. */
  readonly body: string | null;
  /** Milliseconds since the epoch, by the clock of the case. */
  readonly now: number;
  readonly uuid: () => string;
  /** Key pairs of the test run, by algorithm: those that `algorithms` returned. */
  readonly keys: Readonly<Record<string, KeyPair>>;
  /** Adds a key to the KV namespace of revoked credentials. */
  readonly revoke: (key: string) => void;
}

/** Changes of the request: headers to set, in this order, and another URL if the credential is in the query. */
export interface Presented {
  readonly headers?: Readonly<Record<string, string>>;
  readonly url?: string;
}

/** The export `present` of a filter's file. Without it, the credential itself has to be a `Presented`. */
export type Present<Credential = unknown> = (
  credential: Credential,
  sending: Sending,
) => Presented | Promise<Presented>;

/** The hook `credentials` of a filter. */
export interface Credentials<Config> {
  /** Creates a persona's credential. @returns a sentence with the reason if there is none, such as for an unknown consumer */
  readonly issue: (input: IssueInput<Config>) => Issued | string;
  /** The key under `as` with which a case changes the credential. */
  readonly persona?: {
    readonly key: string;
    readonly schema: () => ZodType;
    /**
     * Values of the configuration that a credential has unless the case states others, by their key in both. A case that
     * states them fails when the manifest has a wrong one.
     */
    readonly follows?: (config: Config) => Readonly<Record<string, string | undefined>>;
    /** Algorithms of the key pairs that a value of the key needs. */
    readonly algorithms?: (value: unknown) => readonly string[];
  };
  /** Consumers that the filter can identify; generated first cases use the first one. By default it identifies any name. */
  readonly knows?: (config: Config, consumers: readonly string[]) => readonly string[];
  /** Algorithms of the key pairs that a test run needs. */
  readonly algorithms?: (config: Config) => readonly string[];
  /** Changes of the configuration in a test run, so that the filter trusts the run's public keys. */
  readonly trusting?: (config: Config, published: readonly Jwk[]) => Readonly<Record<string, unknown>>;
  /** The credential covers the rest of the request, so it is written after all others. */
  readonly coversRequest?: boolean;
  /** How a client with a key of the manifest creates one, for `postern sign`. */
  readonly sign?: {
    /** Names of secrets by key id. */
    readonly keys: (config: Config) => Readonly<Record<string, string>>;
    /** @param covers headers of the request, which a signature may cover */
    readonly issue: (config: Config, id: string, secret: string, covers: readonly string[]) => unknown;
  };
}
