/** Draws from a discrete distribution in constant time (Walker's method of aliases). */

export interface AliasTable {
  readonly keep: Float64Array;
  readonly other: Uint32Array;
}

/** @param weights of any positive sum */
export const aliasTableOf = (weights: Float64Array): AliasTable => {
  const size = weights.length;
  const all = weights.reduce((sum, it) => sum + it, 0) || 1;
  const keep = weights.map((it) => (it * size) / all);
  const other = Uint32Array.from({ length: size }, (_, index) => index);
  const [small, large]: [number[], number[]] = [[], []];
  for (const [index, it] of keep.entries()) (it < 1 ? small : large).push(index);
  while (small.length > 0 && large.length > 0) {
    const [less, more] = [small.pop() ?? 0, large.pop() ?? 0];
    other[less] = more;
    keep[more] = (keep[more] ?? 0) - (1 - (keep[less] ?? 0));
    ((keep[more] ?? 0) < 1 ? small : large).push(more);
  }
  for (const index of [...small, ...large]) keep[index] = 1;
  return { keep, other };
};

/** @param uniform in [0, 1) */
export const sampleIndex = ({ keep, other }: AliasTable, uniform: number): number => {
  const position = uniform * keep.length;
  const index = Math.floor(position);
  return position - index < (keep[index] as number) ? index : (other[index] as number);
};
