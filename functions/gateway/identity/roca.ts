/**
 * Detects RSA keys of a library whose primes are predictable (ROCA, CVE-2017-15361: "The Return of Coppersmith's
 * Attack", Nemec and others, CCS 2017). The private key can be computed from the public one.
 */

/** The generator of section 2.1: primes are k·M + (65537^a mod M), where M is the product of the first primes. */
const generator = 65_537;

/**
 * Those of the first 39 primes, which M includes for keys of every length, modulo which not every number is a power
 * of the generator. The others carry no information.
 */
const primes = [11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157];

/** Of a modulus: 16,384 bits. Runtimes accept no longer key. */
const maxBytes = 2048;

/**
 * Whether a modulus has the fingerprint of section 2.3: modulo each small prime it is a power of the generator. Of other
 * keys, fewer than one in a hundred million has it.
 * @param modulus big-endian
 */
export const hasRocaFingerprint = (modulus: Uint8Array): boolean =>
  modulus.length <= maxBytes && primes.every((prime) => isPower(residue(modulus, prime), prime));

/** Whether a number is a power of the generator, modulo a prime. */
const isPower = (number: number, prime: number): boolean => {
  let power = 1;
  do {
    if (power === number) return true;
    power = (power * generator) % prime;
  } while (power !== 1);
  return false;
};

const residue = (big: Uint8Array, prime: number): number => {
  let rest = 0;
  for (const byte of big) rest = (rest * 256 + byte) % prime;
  return rest;
};
