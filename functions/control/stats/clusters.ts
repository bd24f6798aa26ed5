/**
 * The design effect: how much less evidence a request carries if requests are clustered. A user who fails once fails again, and retries.
 *
 * Users fall into groups by chance, so the groups' hits scatter about the mean as much as whole users do. The design
 * effect is that scatter over the one that single requests would have (Kish, "Survey Sampling", 1965, section 5.4; the
 * variance is the linearised one of a ratio, Cochran, "Sampling Techniques", 1977, section 6.3). Counts are divided by the design effect.
 *
 * This is an approximation, not a proof: the e-processes here hold for single requests. If hits come in bursts of equal
 * length, it counts the bursts; if they are many, deflated counts have the variance that clustered ones have. The guard
 * covers what a variance estimate from so few groups may miss (the ratio of Student's to normal quantiles at the far end,
 * 1 + 6/df), and the simulation checks the whole.
 */

/** One entry per group. */
export interface Scatter {
  readonly hits: ArrayLike<number>;
  readonly expected: ArrayLike<number>;
  readonly of: ArrayLike<number>;
  /** Variance of the total hits, if requests were independent. */
  readonly variance: number;
}

/** At least 1. */
export const designEffect = ({ hits, expected, of, variance }: Scatter): number => {
  let squares = 0;
  let all = 0;
  let allSquares = 0;
  for (let group = 0; group < of.length; group++) {
    const size = of[group] ?? 0;
    squares += ((hits[group] ?? 0) - (expected[group] ?? 0)) ** 2;
    all += size;
    allSquares += size * size;
  }
  if (variance <= 0 || all === 0) return 1;
  return Math.max(1, (squares / variance) * guard((all * all) / allSquares));
};

/** @param count effective number of groups: those with little weight count less */
export const guard = (count: number): number => {
  const freedom = Math.max(1, count - 1);
  return ((freedom + 1) / freedom) * (1 + 6 / freedom);
};
