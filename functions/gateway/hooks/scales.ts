/** How `diff` grades a change of a key: the direction in which its value protects less. Part of a spec, so no gate carries it. */

export type Scale =
  /** A duration. A key that is left out is endless. */
  | "longer-is-weaker"
  /** A size or a number. A key that is left out has no bound. */
  | "larger-is-weaker"
  /** A share of requests, such as `10%`. */
  | "larger-share-is-weaker"
  /** A rate, or several that all have to hold: `[100/s, 5000/day]`. */
  | "higher-rate-is-weaker"
  /** Protects where it is present. */
  | "absent-is-weaker"
  /** A value that protects, or `false` for none. */
  | "false-is-weaker"
  /** A list of which each item has to hold: one fewer is weaker. */
  | "required-items"
  /** A map of demands, each with one value or several that fit. */
  | "required-values"
  /** A map of who or what is admitted, by name: one more is weaker. */
  | "admitted-names"
  /** A value or a list of what is allowed: one more is weaker. A key that is left out allows everything, or nothing. */
  | { readonly allows: "items"; readonly absent: "everything" | "nothing" }
  /** Ranges of addresses, compared by what they cover. */
  | { readonly addresses: "allowed" | "denied" }
  /** Values from the weakest to the strongest. */
  | { readonly weakestFirst: readonly unknown[] };

/** By key. A change of a key without a scale is a difference, neither weaker nor stronger. */
export type Scales<Config> = { readonly [Key in keyof Config & string]?: Scale };
