/** What a part's configuration means for security, in words that hold for every part: the audit and `diff` judge by these facts. */

/** Keys that lead to a value of the configuration. */
export type KeyPath = readonly (string | number)[];

/** A fact that is left out does not hold. */
export interface FilterSecurity {
  /** Only callers of some addresses pass, so a route with it is not public. */
  readonly admitsAddresses?: boolean;
  /** The header that brings the caller's credential and that the service is sent too. */
  readonly credentialHeader?: string | undefined;
  /** The key by which a cookie says who is calling: a page of another site can send that along. */
  readonly credentialCookie?: KeyPath | undefined;
  /** The credential is found by trying, so attempts have to be limited ahead of the filter. */
  readonly guessable?: boolean;
  /** How long a credential that was revoked is still accepted, and the key that says so. */
  readonly revocation?: { readonly of: "key" | "token"; readonly after: string; readonly at: KeyPath } | undefined;
  /** Refuses what a page of another site sends with the user's cookies. */
  readonly refusesForgery?: boolean;
  /** Origins whose pages may read responses, and whether cookies may come along. */
  readonly pages?: { readonly origins: readonly string[]; readonly credentials: boolean };
  readonly counts?: Counts;
  /** Edits of the request that the service sees. `at` leads to the map of `set`. */
  readonly requestHeaders?: {
    readonly set: Readonly<Record<string, unknown>>;
    readonly remove: readonly string[];
    readonly at: KeyPath;
  };
  /** The service is sent another path than the client's. */
  readonly rewritesPath?: boolean;
  /** Where clients are sent, and whether the query goes along. */
  readonly redirects?: {
    readonly to?: string | undefined;
    readonly scheme?: string | undefined;
    readonly host?: string | undefined;
    readonly query: "keep" | "drop";
  };
  /** The largest body that passes. */
  readonly bodyLimit?: string;
  /** The longest that everything behind it may take. */
  readonly deadline?: string;
}

/** How a filter limits requests. */
export interface Counts {
  /** Requests of one address are counted together, and nothing else tells them apart. */
  readonly byAddress: boolean;
  /** The header by which a client chooses what it is counted as, and the key that says so. */
  readonly byHeader?: { readonly name: string; readonly at: KeyPath } | undefined;
  /** Each isolate counts by itself: the rates that each lets pass, and the key that says so. */
  readonly perIsolate?: { readonly rates: readonly string[]; readonly at: KeyPath } | undefined;
}

export interface UpstreamSecurity {
  /** The URL that it calls, and its key. */
  readonly endpoint?: { readonly url: string; readonly key: string };
  /** The Worker that it calls in place of a URL. */
  readonly worker?: string;
  /** The key by which a service's own address reaches clients in its redirects. */
  readonly exposesAddress?: string | undefined;
  /** The key by which calls prove that they came through the gate. */
  readonly proof?: string | undefined;
}
