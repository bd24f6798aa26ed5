/** Security facts about a part's configuration, in the same terms for every part. The audit's rules and `diff` use them. */

/** The path of a value in the configuration. */
export type KeyPath = readonly (string | number)[];

/** An absent fact is false. */
export interface FilterSecurity {
  /** Only some client addresses pass, so a route with it is not public. */
  readonly admitsAddresses?: boolean;
  /** The header with the caller's credential, if it is forwarded to the service. */
  readonly credentialHeader?: string | undefined;
  /** The key that allows a credential in a cookie, which browsers also send with requests of other sites. */
  readonly credentialCookie?: KeyPath | undefined;
  /** The credential can be guessed, so attempts must be limited ahead of the filter. */
  readonly guessable?: boolean;
  /** How long a revoked credential is still accepted, and the key that sets it. */
  readonly revocation?: { readonly of: "key" | "token"; readonly after: string; readonly at: KeyPath } | undefined;
  /** Refuses cross-site requests with the user's cookies. */
  readonly refusesForgery?: boolean;
  /** Origins whose pages may read responses, and whether their requests may carry cookies. */
  readonly pages?: { readonly origins: readonly string[]; readonly credentials: boolean };
  readonly counts?: CountsSecurity;
  /** Header edits of the request to the service. `at` is the path of the map `set`. */
  readonly requestHeaders?: {
    readonly set: Readonly<Record<string, unknown>>;
    readonly remove: readonly string[];
    readonly at: KeyPath;
  };
  /** Changes the path of the request to the service. */
  readonly rewritesPath?: boolean;
  /** The target of redirects, and whether they keep the query. */
  readonly redirects?: {
    readonly to?: string | undefined;
    readonly scheme?: string | undefined;
    readonly host?: string | undefined;
    readonly query: "keep" | "drop";
  };
  /** The largest request body that passes. */
  readonly bodyLimit?: string;
  /** The timeout of everything behind it. */
  readonly deadline?: string;
}

/** How a filter counts requests to limit them. */
export interface CountsSecurity {
  /** Requests are counted by client address alone. */
  readonly byAddress: boolean;
  /** The header that requests are counted by, which a client chooses, and the key that sets it. */
  readonly byHeader?: { readonly name: string; readonly at: KeyPath } | undefined;
  /** Each isolate counts separately: the rates that each allows, and the key that sets it. */
  readonly perIsolate?: { readonly rates: readonly string[]; readonly at: KeyPath } | undefined;
}

/** An absent fact is false. */
export interface UpstreamSecurity {
  /** The URL of the service, and its key. */
  readonly endpoint?: { readonly url: string; readonly key: string };
  /** The Worker that it calls instead of a URL. */
  readonly worker?: string;
  /** The key that lets a service's own address reach clients, in redirects. */
  readonly exposesAddress?: string | undefined;
  /** The key that makes calls prove that they came through the gate. */
  readonly proof?: string | undefined;
}
