/** Seeded random numbers: the same seed gives the same simulation. */
import { randomPoisson } from "d3-random";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";

export interface Random {
  /** In [0, 1). */
  readonly uniform: () => number;
  readonly poisson: (mean: number) => number;
  /** True with this probability. */
  readonly happens: (probability: number) => boolean;
}

export const seededRandom = (seed: number): Random => {
  const generator = xoroshiro128plus(mixed(seed));
  // The first numbers of similar seeds are similar.
  for (let index = 0; index < 16; index++) generator.next();
  const uniform = () => (generator.next() >>> 0) / 2 ** 32;
  const large = randomPoisson.source(uniform);
  return {
    uniform,
    poisson: (mean) => (mean <= 0 ? 0 : mean < 16 ? smallPoisson(mean, uniform) : large(mean)()),
    happens: (probability) => uniform() < probability,
  };
};

/** Knuth's: most draws here have a mean below one, for which the library's set-up costs more than the draw. */
const smallPoisson = (mean: number, uniform: () => number): number => {
  const end = Math.exp(-mean);
  let count = 0;
  for (let left = uniform(); left > end; left *= uniform()) count++;
  return count;
};

/** Makes similar seeds unlike (the finalizer of MurmurHash3). */
const mixed = (seed: number): number => {
  let it = seed | 0;
  for (const factor of [0x85ebca6b, 0xc2b2ae35]) it = Math.imul(it ^ (it >>> 15), factor);
  return it ^ (it >>> 16);
};
