/**
 * RSA keys of a library that made its primes so that others can compute them (ROCA, CVE-2017-15361: "The Return of
 * Coppersmith's Attack", Nemec and others, CCS 2017). Whoever has the public key can make the private one.
 */

/** The generator of section 2.1: primes are k·M + (65537^a mod M), where M is the product of the first primes. */
const generator = 65_537;

/** Those of which M has all, for keys of every length: the first 39 without 2, which tells nothing. */
const largest = 167;

/** Of a modulus: 16,384 bits, beyond which no runtime takes a key. */
const mostBytes = 2048;

/**
 * Whether a modulus has the fingerprint of section 2.3: modulo each small prime it is a power of the generator. Of other
 * keys, fewer than one in a hundred million has it.
 * @param modulus big-endian
 */
export const hasRocaFingerprint = (modulus: Uint8Array): boolean => {
  // Made at the first RSA key, since many a gate starts and meets none.
  telling ??= tellingPrimes();
  return modulus.length <= mostBytes && telling.every(({ prime, powers }) => powers.has(residue(modulus, prime)));
};

interface Telling {
  readonly prime: number;
  readonly powers: ReadonlySet<number>;
}

const powersModulo = (prime: number): ReadonlySet<number> => {
  const powers = new Set<number>();
  for (let power = 1; !powers.has(power); power = (power * generator) % prime) powers.add(power);
  return powers;
};

const primesTo = (most: number): number[] => {
  const primes: number[] = [];
  for (let it = 3; it <= most; it += 2) if (primes.every((prime) => it % prime !== 0)) primes.push(it);
  return primes;
};

const residue = (big: Uint8Array, prime: number): number => {
  let rest = 0;
  for (const byte of big) rest = (rest * 256 + byte) % prime;
  return rest;
};

/** Primes modulo which not every number is a power of the generator, and those that are. */
const tellingPrimes = (): readonly Telling[] =>
  primesTo(largest)
    .map((prime) => ({ prime, powers: powersModulo(prime) }))
    .filter(({ prime, powers }) => powers.size < prime - 1);

let telling: readonly Telling[] | undefined;
