"""
The evidence of a rollout, computed again from its description (docs/rollout-statistics.md and the comments in
functions/control/stats), to be compared with what control computes. It keeps no running state: each number is computed from the
list of all events, with exact fractions where a comparison decides and exact sums elsewhere.
"""
import math
from fractions import Fraction

PER_KIND = 2**14
ANONYMOUS, AUTHENTICATED, DEALT = 0, PER_KIND, 2 * PER_KIND
CLUSTERS = 3 * PER_KIND

MEASURES = ["requests", "errors", "refusals", "clientErrors", "abandoned", "faults"]
LATENCIES = ["measured", "slow99", "over50", "over90", "over99", "late99"]
MEASURES += LATENCIES
OF = {it: "measured" if it in LATENCIES else "requests" for it in MEASURES}
CROSSED = [it for it in MEASURES if it not in ("measured", "late99")]
RATES = [it for it in MEASURES if it not in ("requests", "measured")]

LEVELS = [1, 8, 64]
MINUTE = 60_000
LENGTHS = [2 * MINUTE, 8 * MINUTE, 32 * MINUTE, 128 * MINUTE]
TILTS = [0.02 * 1.6**k for k in range(14)]
LEFT_OUT = 2


def log_wealth(against, hits, of, chance):
    """Logarithm of the mean, over the tilts, of e^(tilt * hits) / (1 + chance * (e^tilt - 1))^of."""
    sign = 1 if against == "more" else -1
    logs = [sign * tilt * hits - of * math.log1p(chance * math.expm1(sign * tilt)) for tilt in TILTS]
    top = max(logs)
    return top + math.log(math.fsum(math.exp(it - top) for it in logs) / len(TILTS))


def open_windows(now):
    """The windows that contain `now`, as (from, until, weight)."""
    windows = [(0, math.inf, 0.5)]
    for length in LENGTHS:
        number = 1
        while number * (length / 2) <= now:
            start = number * (length / 2)
            if now < start + length:
                windows.append((start, start + length, 0.5 / len(LENGTHS) / (number * (number + 1))))
            number += 1
    return windows


class Store:
    """What one store of telemetry received during a stage: events, and the times at which intervals were closed."""

    def __init__(self, settling):
        self.settling = settling
        self.events = []  # (side, at, cluster, counts by measure, index of the closing that counts it)
        self.closings = []

    def add(self, side, at, cluster, counts):
        if 0 <= cluster < CLUSTERS:
            self.events.append((side, at, cluster, dict(zip(MEASURES, counts)), len(self.closings)))

    def close(self, at):
        # Time does not go back.
        self.closings.append(max([at, *self.closings]))

    def total(self, side, measure):
        """Counts of each cluster since the stage began."""
        counts = {}
        for event_side, at, cluster, event, _ in self.events:
            if event_side == side and not (measure in LATENCIES and at < self.settling["latency"]):
                counts[cluster] = counts.get(cluster, 0) + event[measure]
        return counts

    def judged(self, measure, settled):
        """Events of a measure that count. Of `settled` requests, those after the split has settled."""
        for side, at, cluster, event, closing in self.events:
            early = (settled and measure == "requests" and at < self.settling["requests"]) or (
                measure in LATENCIES and at < self.settling["latency"]
            )
            if not early and event[measure] > 0:
                yield side, at, cluster, event[measure], closing

    def in_window(self, measure, window, settled):
        """
        Sums of the events that started in the window and were closed while it was open: by closing, minute of the start,
        cluster, and side.
        """
        sums = {}
        for side, at, cluster, count, closing in self.judged(measure, settled):
            minute = math.floor(at / MINUTE) * MINUTE
            is_open = closing < len(self.closings) and window[0] <= self.closings[closing] < window[1]
            if is_open and window[0] <= minute:
                both = sums.setdefault((closing, minute, cluster), {"stable": 0, "canary": 0})
                both[side] += count
        return sums

    def crossings(self):
        found = {}
        for window in open_windows(self.closings[-1]) if self.closings else []:
            totals = {it: self.in_window(it, window, settled=True) for it in MEASURES}
            shown = {it: self.in_window(it, window, settled=False) for it in MEASURES}
            sums = {
                side: {it: sum(both[side] for both in shown[it].values()) for it in MEASURES}
                for side in ("stable", "canary")
            }
            for measure in CROSSED:
                for level in LEVELS:
                    counted = crossings_of(totals[measure], level)
                    if counted["trusted"][1] + counted["anonymous"][1] > 0:
                        hits = {side: (of_side[measure], of_side[OF[measure]]) for side, of_side in sums.items()}
                        found[(window, measure, level)] = {**counted, "hits": hits}
        return found

    def summary(self):
        active = sorted({cluster for _, _, cluster, _, _ in self.events})
        return {
            "totals": {side: [sum(self.total(side, it).values()) for it in MEASURES] for side in ("stable", "canary")},
            "clusters": {
                side: sum(1 for cluster, count in self.total(side, "requests").items() if cluster < DEALT and count > 0)
                for side in ("stable", "canary")
            },
            "crossings": self.crossings(),
            "rates": {it: self.difference(it, active) for it in RATES},
            "requests": self.requests(active),
        }

    def requests(self, active):
        """How many requests both versions have, by clusters of which none weighs more than two mean ones."""
        settled = {"stable": {}, "canary": {}}
        for side, _, cluster, count, _ in self.judged("requests", settled=True):
            settled[side][cluster] = settled[side].get(cluster, 0) + count
        both = {it: (settled["stable"].get(it, 0), settled["canary"].get(it, 0)) for it in active}
        clusters = [sum(both[it]) for it in active if it < DEALT]
        cap = most_requests(clusters, 2)
        weights, canary, squares = [], [], []
        for it in active:
            requests = sum(both[it])
            if requests > 0:
                weight = min(requests, cap) if it < DEALT else requests
                weights.append(weight)
                canary.append(Fraction(weight * both[it][1], requests))
                squares.append(weight**2 if it < DEALT else requests)
        return [float(sum(it)) for it in (weights, canary, squares)]

    def difference(self, rate, active):
        hits = {side: self.total(side, rate) for side in ("stable", "canary")}
        of = {side: self.total(side, OF[rate]) for side in ("stable", "canary")}
        both = {it: of["stable"].get(it, 0) + of["canary"].get(it, 0) for it in active}
        cap = most_requests([both[it] for it in active if it < DEALT], 10)
        sides = {}
        for side in ("stable", "canary"):
            pairs = [(it, min(hits[side].get(it, 0), of[side][it]), of[side][it]) for it in active if of[side].get(it, 0)]
            weighed = []
            for it, hit, requests in pairs:
                weight = cap / both[it] if it < DEALT and both[it] > cap else 1
                weighed.append((it < DEALT, hit * weight, requests * weight))
            sides[side] = weighed
        canary_clusters = sum(1 for is_cluster, _, _ in sides["canary"] if is_cluster)
        part = min(Fraction(1, 2), Fraction(LEFT_OUT, max(1, canary_clusters)))
        stable, canary = (trimmed_mean(sides[side], part) for side in ("stable", "canary"))
        hit = {it: count for it, count in hits["canary"].items() if count > 0}
        return {
            "stable": stable["mean"],
            "canary": canary["mean"],
            "variance": [stable["variance"], canary["variance"]],
            "units": canary_clusters + sum(of["canary"].get(it, 0) for it in active if it >= DEALT),
            "weight": canary["weight"],
            "clients": len({it if it < DEALT else it - DEALT for it in hit}),
            "top": sorted(hit.values(), reverse=True)[:3],
            "tied": stable["tied"] or canary["tied"],
        }


def crossings_of(sums, level):
    """Of each set of clusters: the canary's parts of those that reach the level, summed, and how many they are."""
    found = {"trusted": [Fraction(0), 0], "anonymous": [Fraction(0), 0]}
    by_cluster = {}
    for (_, _, cluster), both in sorted(sums.items(), key=lambda it: it[0]):
        by_cluster.setdefault(cluster, []).append(both)
    for cluster, closings in by_cluster.items():
        if cluster >= DEALT:
            # Each hit is a unit of its own, which has reached one, and never more.
            if level == 1:
                found["trusted"][0] += sum(it["canary"] for it in closings)
                found["trusted"][1] += sum(it["canary"] + it["stable"] for it in closings)
            continue
        canary = stable = 0
        for it in closings:
            canary += it["canary"]
            stable += it["stable"]
            if canary + stable >= level:
                crossing = found["trusted" if cluster >= AUTHENTICATED else "anonymous"]
                crossing[0] += Fraction(canary, canary + stable)
                crossing[1] += 1
                break
    return {kind: (float(canary), count) for kind, (canary, count) in found.items()}


def most_requests(clusters, means):
    """The largest cap that is so many means of what counts under it: between two neighbours of the sorted sizes, it is a line."""
    caps = []
    for above in {0, *clusters}:
        limited = sum(1 for it in clusters if it > above)
        if means * limited < len(clusters):
            cap = means * Fraction(sum(it for it in clusters if it <= above), len(clusters) - means * limited)
            if limited == sum(1 for it in clusters if it > cap):
                caps.append(cap)
    return max(caps, default=0)


def trimmed_mean(weighed, part):
    """The ratio of hits to requests without the worst clusters, and its variance by clusters."""
    nothing = {"mean": 0.0, "variance": 0.0, "weight": 0.0, "tied": False}
    all_hits, all_of = (sum(it[index] for it in weighed) for index in (1, 2))
    if all_of == 0:
        return nothing
    clusters = [(hit, requests) for is_cluster, hit, requests in weighed if is_cluster]
    dealt = sum(requests for is_cluster, _, requests in weighed if not is_cluster)
    count = math.floor(part * len(clusters) + Fraction(1, 2))
    # Hits beyond the rate, times all requests, so that whole numbers stay whole.
    excess = lambda it: it[0] * all_of - all_hits * it[1]
    ranked = sorted(clusters, key=excess, reverse=True)
    left_out = [it for it in ranked[:count] if excess(it) > 0]
    kept = ranked[len(left_out) :]
    # With different clusters of the same excess, rounding decides which one is left out.
    last = excess(left_out[-1]) if left_out else None
    tied = last is not None and bool(kept) and excess(kept[0]) == last
    tied = tied and len({it for it in ranked if excess(it) == last}) > 1
    hits = all_hits - sum(it[0] for it in left_out)
    of = all_of - sum(it[1] for it in left_out)
    if of == 0:
        return nothing
    mean = Fraction(hits) / Fraction(of)
    correction = Fraction(len(kept), len(kept) - 1) if len(kept) > 1 else 1
    squares = correction * Fraction(sum((hit * of - hits * requests) ** 2 for hit, requests in kept)) / Fraction(of) ** 2
    squares += dealt * mean * (1 - mean)
    return {
        "mean": float(mean),
        "variance": float(squares / Fraction(of) ** 2),
        "weight": float(of),
        "tied": tied,
    }


def bets(stages, measure, against, budget):
    """All bets on a measure: {(stage, store, window, level, voters): [wealth, needed, excess]}."""
    found = {}
    for index, (share, summaries) in enumerate(stages):
        for store, summary in enumerate(summaries):
            for (window, it, level), counted in summary["crossings"].items():
                if it != measure:
                    continue
                weight = 6 / math.pi**2 / (index + 1) ** 2 * window[2] / len(summaries) / len(LEVELS) / 2
                for voters in ("trusted", "all"):
                    kinds = ["trusted"] if voters == "trusted" else ["trusted", "anonymous"]
                    canary = math.fsum(counted[kind][0] for kind in kinds)
                    count = sum(counted[kind][1] for kind in kinds)
                    hits = max(0, canary - LEFT_OUT) if against == "more" else min(count, canary + LEFT_OUT)
                    wealth = log_wealth(against, hits, count, share) if count > 0 else 0
                    needed = -math.log(budget * weight)
                    found[(index, store, window[0], window[1], level, voters)] = [
                        wealth,
                        needed,
                        odds_excess(canary, count, share, counted["hits"]["stable"])
                        if level == 1
                        else rate_excess(**counted["hits"]),
                    ]
    return found


def odds_excess(canary, count, share, stable):
    """The odds ratio at two standard errors above the canary's part, minus one, times stable's rate."""
    if count == 0:
        return 0
    part = canary / count
    high = min(1 - 0.5 / (count + 1), part + 2 * math.sqrt(part * (1 - part) / count))
    return min(1, ((high / (1 - high)) / (share / (1 - share)) - 1) * (stable[0] + 1) / (stable[1] + 1))


def rate_excess(stable, canary):
    """The difference of both rates, each with one hit and one request more, plus two standard errors of independent requests."""
    one, other = ((hits + 1) / (of + 1) for hits, of in (stable, canary))
    variance = one * (1 - one) / (stable[1] + 1) + other * (1 - other) / (canary[1] + 1)
    return other - one + 2 * math.sqrt(max(0, variance))


def single_requests(stages, index, measure, budget):
    """The bet on single requests of one stage, over all its stores."""
    share, summaries = stages[index]
    hits, others = (
        sum(it["totals"][side][MEASURES.index(measure)] for it in summaries) for side in ("canary", "stable")
    )
    wealth = log_wealth("more", hits, hits + others, share) if hits + others > 0 else 0
    return [wealth, -math.log(budget * 6 / math.pi**2 / (index + 1) ** 2)]


def combined(summaries, rate):
    """Means over stores, weighted by the canary's requests, and the bounds of the difference."""
    some = [it["rates"][rate] for it in summaries if it["rates"][rate]["weight"] > 0]
    if not some:
        return None
    weight = math.fsum(it["weight"] for it in some)
    stable, canary = (math.fsum(it["weight"] * it[side] for it in some) / weight for side in ("stable", "canary"))
    variance = math.fsum(it["weight"] ** 2 * sum(it["variance"]) for it in some) / weight**2
    margin = 2.2 * math.sqrt(variance + 1 / weight**2)
    difference = canary - stable
    return [difference, variance, max(-1, difference - margin), min(1, difference + 1 / weight + margin)]


def share_of_requests(summaries, share):
    """The canary's part of the requests over its share, and the standard error of that."""
    all_, canary, squares = (math.fsum(it["requests"][index] for it in summaries) for index in range(3))
    if share * all_ == 0:
        return None
    return [canary / (share * all_), math.sqrt(share * (1 - share) * squares) / (share * all_)]
