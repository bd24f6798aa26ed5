/** The part of the configuration of `signature` that its hooks read. Its schema has to match, which the compiler checks. */
export interface SignatureConfig {
  readonly keys: Readonly<Record<string, { readonly secret: string; readonly consumer: string }>>;
  readonly covers: readonly string[];
}
