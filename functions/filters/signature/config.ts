/** The configuration of `signature`, as far as its hooks read it; its schema holds it to this. */
export interface SignatureConfig {
  readonly keys: Readonly<Record<string, { readonly secret: string; readonly consumer: string }>>;
  readonly covers: readonly string[];
}
