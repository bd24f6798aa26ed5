/** Tokens and key sets as issuers really make them. */
import type { JWK } from "jose";
import type { Row } from "../row.ts";
import type { Token } from "./kit.ts";
import { claimRows, issuerRows } from "./rows-claims.ts";
import { keySetRows } from "./rows-keys.ts";
import { outageRows } from "./rows-outage.ts";
import { placeRows } from "./rows-places.ts";
import { trustRows } from "./rows-trust.ts";

export interface TokenRow extends Row {
  /** What the issuer publishes; by default the RSA key that signs, as `k1`. */
  readonly set?: readonly (JWK | null)[];
  /** The issuer's key set cannot be had: each request for it is answered 500. */
  readonly outage?: boolean;
  /** Of the filter, beside the issuer, the audience `wallet` and RS256. Null leaves a key out. */
  readonly jwt?: Readonly<Record<string, unknown>>;
  /** Filters behind it. */
  readonly behind?: readonly object[];
  /** What the client's token is, or a text made of the signed one. */
  readonly token: Token;
  readonly altered?: (token: string) => string | Promise<string>;
  /** How the client sends it; by default behind `Bearer`. */
  readonly sent?: (token: string) => { readonly query?: string; readonly headers?: Readonly<Record<string, string>> };
  /** Set where the client opens a WebSocket and offers these subprotocols. */
  readonly offers?: (token: string) => readonly string[];
  readonly right: Right;
}

export interface Right {
  readonly status: number;
  /** Whether the gate asks for the key set. */
  readonly asksIssuer?: boolean;
  readonly code?: string;
  /** The consumer that the service receives. */
  readonly consumer?: string;
  /** Path and query that the service receives, behind the route's own path. */
  readonly target?: string;
  /** Headers that the service sees; null for one that it does not. */
  readonly headers?: Readonly<Record<string, string | null>>;
  /** The subprotocol that the browser is answered with, made of the token. */
  readonly protocol?: (token: string) => string;
}

export const rows: readonly TokenRow[] = [
  ...[...keySetRows, ...issuerRows, ...claimRows, ...placeRows, ...trustRows, ...outageRows],
];
