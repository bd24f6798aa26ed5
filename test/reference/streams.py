#!/usr/bin/env python3
"""
Generates streams of telemetry by seed, and prints each with the evidence that evidence.py computes from it, one JSON a line:
python3 test/reference/streams.py --streams 1000 --seed 23
"""
import argparse
import json
import math
import random

from evidence import ANONYMOUS, AUTHENTICATED, CLUSTERS, DEALT, LEVELS, MEASURES, MINUTE, PER_KIND, RATES
from evidence import Store, bets, combined, share_of_requests, single_requests

SHARES = [0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 0.9]
# How many clusters, whether many requests are dealt, how many requests an event has, and how often they hit.
SITUATIONS = {
    "few clusters": {"clusters": 3},
    "many clusters": {"clusters": 400},
    "collisions": {"clusters": 12, "users": 8},
    "dealt": {"clusters": 40, "dealt": 0.7},
    "whale": {"clusters": 60, "whale": 0.6},
    "everything fails": {"clusters": 50, "hit": 1.0},
    "nothing fails": {"clusters": 50, "hit": 0.0},
    "zeros": {"clusters": 10, "zero": 0.7},
    "hits without requests": {"clusters": 25, "orphans": 0.5},
    "huge counts": {"clusters": 400, "most": 10**12, "wrap": 0.3},
    "late events": {"clusters": 80, "late": 0.4},
    "hours": {"clusters": 80, "pace": 6 * MINUTE},
    "short": {"clusters": 80, "pace": 2_000},
    "out of range": {"clusters": 20, "foreign": 0.1},
    "no closing": {"clusters": 20, "closing": 0.0},
}


def counts_of(rng, situation):
    """One number for each measure; hits may exceed what they are a share of, as when both come in different reports."""
    if rng.random() < situation.get("zero", 0.0):
        return [0] * len(MEASURES)
    most = situation.get("most", rng.choice([1, 1, 3, 40]))
    # A multiple of what a counter of 32 bits holds.
    requests = 2**32 if rng.random() < situation.get("wrap", 0.0) else rng.randint(1, most)
    measured = rng.randint(0, requests)
    orphan = rng.random() < situation.get("orphans", 0.0)
    counts = []
    for measure in MEASURES:
        hit = situation.get("hit", rng.choice([0.0, 0.02, 0.3, 1.0]))
        base = measured if MEASURES.index(measure) >= MEASURES.index("measured") else requests
        if measure == "requests":
            counts.append(0 if orphan else requests)
        elif measure == "measured":
            counts.append(0 if orphan else measured)
        elif base <= 40:
            counts.append(sum(rng.random() < hit for _ in range(base)))
        else:
            counts.append(round(base * hit * rng.uniform(0.9, 1)))
    return counts


def stream_of(rng, name, most_events):
    situation = SITUATIONS[name]
    stages = []
    for _ in range(rng.choice([1, 1, 2, 3])):
        share = rng.choice(SHARES)
        stores = [ops_of(rng, situation, share, most_events) for _ in range(rng.choice([1, 1, 2, 3]))]
        stages.append({"share": share, "stores": stores})
    measures = ["requests", *rng.sample([it for it in MEASURES if it not in ("requests", "measured", "late99")], 3)]
    questions = [
        {"measure": it, "against": against, "budget": rng.choice([0.05, 0.001, 1e-6])}
        for it in measures
        for against in ("more", "fewer")
    ]
    settling = {"requests": rng.choice([0, 10_000]), "latency": rng.choice([0, 2 * MINUTE])}
    return {"situation": name, "settling": settling, "stages": stages, "questions": questions}


def ops_of(rng, situation, share, most_events):
    """What a store receives: events, closings of intervals, and questions in between."""
    clusters = [
        rng.choice([ANONYMOUS, ANONYMOUS, AUTHENTICATED]) + rng.randrange(PER_KIND) for _ in range(situation["clusters"])
    ]
    users = {it: [rng.random() < share for _ in range(situation.get("users", 1))] for it in clusters}
    pace = situation.get("pace", rng.choice([2_000, 30_000, 90_000]))
    now, ops = 0, []
    for _ in range(rng.randint(most_events // 2, most_events)):
        if rng.random() < 0.2:
            now += rng.choice([2_000, pace, rng.randrange(1, 2 * pace)])
            if rng.random() < situation.get("closing", 0.9):
                # A closing may repeat, or be behind another.
                ops.append(["close", max(0, now - rng.choice([0, 0, 0, 0, 4_000]))])
        if rng.random() < 0.01:
            ops.append(["ask"])
        at = max(0, now - (rng.randrange(10 * MINUTE) if rng.random() < situation.get("late", 0.0) else 0))
        cluster = clusters[0] if rng.random() < situation.get("whale", 0.0) else rng.choice(clusters)
        canary = rng.choice(users[cluster])
        if rng.random() < situation.get("dealt", 0.05):
            cluster, canary = DEALT + rng.randrange(8), rng.random() < share
        if rng.random() < situation.get("foreign", 0.0):
            cluster = rng.choice([-1, CLUSTERS, CLUSTERS + 7])
        ops.append(["add", "canary" if canary else "stable", at, cluster, counts_of(rng, situation)])
    if situation.get("closing", 1) > 0:
        ops.append(["close", now + 2_000])
    return [*ops, ["ask"]]


def answers(stream):
    """What the evidence is, question by question. The last summary of a store is the one that its bets rest on."""
    summaries, stages = [], []
    for stage in stream["stages"]:
        of_stores = [asked(Store(stream["settling"]), ops) for ops in stage["stores"]]
        summaries.append([[plain(it) for it in of_store] for of_store in of_stores])
        stages.append((stage["share"], [of_store[-1] for of_store in of_stores]))
    return {
        "summaries": summaries,
        "bets": [
            [[*key[:2], key[2], finite(key[3]), *key[4:], *it] for key, it in bets(stages, **question).items()]
            for question in stream["questions"]
        ],
        "faults": [single_requests(stages, index, "faults", 0.001) for index in range(len(stages))],
        "combined": [{rate: combined(each, rate) for rate in RATES} for _, each in stages],
        "shares": [share_of_requests(each, share) for share, each in stages],
    }


def asked(store, ops):
    found = []
    for kind, *rest in ops:
        if kind == "add":
            store.add(*rest)
        elif kind == "close":
            store.close(*rest)
        else:
            found.append(store.summary())
    return found


def finite(it):
    return None if math.isinf(it) else it


def plain(summary):
    """As JSON: windows by their two ends, levels by their index."""
    crossings = [
        [start, finite(until), measure, LEVELS.index(level), *it["trusted"], *it["anonymous"], *it["hits"]["stable"], *it["hits"]["canary"]]
        for ((start, until, _), measure, level), it in summary["crossings"].items()
    ]
    return {**summary, "crossings": crossings}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=23)
    parser.add_argument("--events", type=int, default=300, help="at most, in each store of each stage")
    options = parser.parse_args()
    names = list(SITUATIONS)
    for number in range(options.streams):
        rng = random.Random(f"{options.seed}/{number}")
        one = stream_of(rng, names[number % len(names)], options.events)
        print(json.dumps({"number": number, **one, "expected": answers(one)}, separators=(",", ":")))
