/** How `diff` grades a change of a key: in which direction its value protects less. Part of a spec, so gates do not bundle it. */

export type Scale =
  /** A duration. An absent key means no limit. */
  | "longer-is-weaker"
  /** A size or a number. An absent key means no limit. */
  | "larger-is-weaker"
  /** A share of requests, such as `10%`. */
  | "larger-share-is-weaker"
  /** A rate, or several that all apply: `[100/s, 5000/day]`. */
  | "higher-rate-is-weaker"
  /** Protects if it is present. */
  | "absent-is-weaker"
  /** A value that protects, or `false` for none. */
  | "false-is-weaker"
  /** A list of requirements: one fewer is weaker. */
  | "required-items"
  /** A map of requirements, each with its accepted values. */
  | "required-values"
  /** A map of what is admitted, by name: one more is weaker. */
  | "admitted-names"
  /** A value or a list of what is allowed: one more is weaker. `absent` is what an absent key allows. */
  | { readonly allows: "items"; readonly absent: "everything" | "nothing" }
  /** Address ranges, compared by the addresses that they cover. */
  | { readonly addresses: "allowed" | "denied" }
  /** Values from the weakest to the strongest. */
  | { readonly weakestFirst: readonly unknown[] };

/** By key. A change of a key without a scale is reported as neither weaker nor stronger. */
export type Scales<Config> = { readonly [Key in keyof Config & string]?: Scale };
