/**
 * Anytime-valid tests of counts, as bets (e-processes).
 *
 * A bettor bets against "a trial hits with a probability of at most `chance`". A stake on the tilt λ > 0 is multiplied by
 * exp(λ·hit) / (1 + chance·(e^λ − 1)) at each trial. If the statement is true, the expected wealth never grows, whatever
 * came before. So by Ville's inequality it ever reaches 1/α with a probability of at most α, however often one looks. For
 * λ < 0 the same holds of "with `chance` at least". The wealth is a function of the totals alone, and as the logarithm is
 * concave it also bounds the mean of chances that change from trial to trial (Lindon and Malek, "Anytime-Valid Inference
 * for Multinomial Count Data", NeurIPS 2022, on inhomogeneous Bernoulli processes; Howard, Ramdas, McAuliffe and Sekhon,
 * "Time-uniform Chernoff bounds via nonnegative supermartingales", 2020).
 *
 * The best tilt is not known beforehand, so the stake is spread evenly over a fixed grid of tilts: a mean of such processes
 * is such a process again. The grid costs ln 14 of evidence, and is fine enough for ten hits as for a million.
 */

/** Counts may be fractions, because those of clustered requests are divided by the design effect. */
export interface Trials {
  readonly hits: number;
  readonly of: number;
  readonly chance: number;
}

const tilts = Array.from({ length: 14 }, (_, index) => 0.02 * 1.6 ** index);
const scales = { more: scalesOf(1), fewer: scalesOf(-1) };
const perTilt = Math.log(tilts.length);

function scalesOf(sign: 1 | -1): { readonly tilt: number; readonly odds: number }[] {
  return tilts.map((tilt) => ({ tilt: sign * tilt, odds: Math.expm1(sign * tilt) }));
}

/**
 * Logarithm of the wealth against "not more" (or "not fewer") hits than by chance. Bets on the trials of several stages use the
 * same tilts one after the other, so the wealth carries over from stage to stage.
 */
export const logWealth = (against: "more" | "fewer", stages: readonly Trials[]): number => {
  let max = Number.NEGATIVE_INFINITY;
  let sum = 0;
  for (const { tilt, odds } of scales[against]) {
    let won = 0;
    for (const { hits, of, chance } of stages) won += tilt * hits - of * Math.log1p(chance * odds);
    // Log-sum-exp, which avoids overflow.
    if (won > max) {
      sum = 1 + sum * Math.exp(max - won);
      max = won;
    } else sum += Math.exp(won - max);
  }
  return max + Math.log(sum) - perTilt;
};

/** The least chance that is not excluded. `evidence` is the logarithm of 1/α. */
export const atLeast = (hits: number, of: number, evidence: number): number => {
  if (hits <= 0 || of <= 0) return 0;
  const excess = (log: number) => logWealth("more", [{ hits, of, chance: Math.exp(log) }]) - evidence;
  const top = Math.log(Math.min(1, hits / of));
  const bottom = top - 12;
  return excess(bottom) < 0 ? 0 : Math.exp(root(excess, bottom, top));
};

/** The largest chance that is not excluded. */
export const atMost = (hits: number, of: number, evidence: number): number => {
  if (of <= 0) return 1;
  const excess = (log: number) => logWealth("fewer", [{ hits, of, chance: Math.exp(log) }]) - evidence;
  if (excess(0) < 0) return 1;
  return Math.exp(root(excess, Math.log(Math.max(hits, 1e-3) / of), 0));
};

/**
 * The zero of a monotone function that changes its sign between `left` and `right`, by the Illinois variant of false
 * position. A bisection would take three times as many steps, and bounds are most of what a verdict costs.
 */
export const root = (fn: (x: number) => number, left: number, right: number): number => {
  let [a, b] = [left, right];
  let [atA, atB] = [fn(a), fn(b)];
  for (let step = 0; step < 40 && Math.abs(b - a) > 1e-3; step++) {
    const x = (a * atB - b * atA) / (atB - atA);
    const atX = fn(x);
    if (Math.abs(atX) < 1e-2) return x;
    if (atX > 0 === atB > 0) atA /= 2;
    else [a, atA] = [b, atB];
    [b, atB] = [x, atX];
  }
  return b;
};
