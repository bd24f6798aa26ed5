/** Clusters: which requests are one party's, however many keys and addresses it uses. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Consumer } from "../../../functions/gateway/core/facts.ts";
import type { Caller } from "../../../functions/gateway/core/types.ts";
import { addressBlockOf, networkOf } from "../../../functions/gateway/http/client-network.ts";
import {
  clusterName,
  clusterOf,
  clustersPerKind,
  isCounted,
  kindOf,
  maxClusters,
  networkCluster,
  partyClusterOf,
} from "../../../functions/gateway/observability/clusters.ts";
import { caller } from "../gate-harness.ts";

describe("the block of an address", () => {
  it.each([
    [null, ""],
    ["", ""],
    ["192.0.2.7", "192.0.2"],
    ["192.0.2.255", "192.0.2"],
    ["255.255.255.255", "255.255.255"],
    ["::ffff:192.0.2.7", "192.0.2"],
    ["::ffff:c000:207", "192.0.2"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1"],
    ["2001:db8:1:ffff::", "2001:db8:1"],
    ["2001:db8:1::7", "2001:db8:1"],
    ["2001:DB8:0001::7", "2001:db8:1"],
    ["2001:db8::7", "2001:db8:0"],
    ["2001:db8:0:5::7", "2001:db8:0"],
    ["::1", "0:0:0"],
    ["garbage", ""],
    ["1.2.3", ""],
    ["1..2.3", ""],
    ["a.b.c.d", ""],
    ["12", ""],
    ["x:y:z:1", ""],
    ["[2001:db8::1]", ""],
  ])("of %j is %j", (ip, block) => {
    expect(addressBlockOf(ip)).toBe(block);
  });

  it("is that of its network, in every spelling", () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (ip) => {
        const network = networkOf(ip);
        const shorter = network.slice(0, Math.max(network.lastIndexOf("."), network.lastIndexOf(":")));
        for (const spelling of [ip, ip.toUpperCase(), ...canonical(ip)]) expect(addressBlockOf(spelling)).toBe(shorter);
      }),
      { seed: 23, numRuns: 3000 },
    );
  });

  /** As the platform spells it. */
  const canonical = (ip: string): string[] =>
    ip.includes(":") ? [new URL(`http://[${ip}]`).hostname.slice(1, -1)] : [];
});

const contextOf = (over: Partial<Caller>, consumer?: string) => ({
  caller: { ...caller, ...over },
  facts: new Map(consumer === undefined ? [] : [[Consumer, { id: consumer, labels: {} }]]),
});
/** Behind a front. */
const behind = { gateOnlyHeaders: [] };

describe("the cluster of a request", () => {
  it("is the client's network, whatever gray keys it sends", () => {
    const numbers = Array.from({ length: 100 }, (_, index) =>
      clusterOf(contextOf({ ...behind, grayKey: `key-${index}`, ip: `203.0.113.${index}` })),
    );
    expect(new Set(numbers)).toEqual(new Set([networkCluster("203.0.113.200", false)]));
    expect(kindOf(numbers[0] as number)).toBe("anonymous");
    const elsewhere = clusterOf(contextOf({ ...behind, ip: "203.0.114.1" }));
    expect(elsewhere).not.toBe(numbers[0]);
  });

  it("is the consumer, wherever it comes from", () => {
    const numbers = ["203.0.113.7", "2001:db8::1", null].map((ip) => clusterOf(contextOf({ ...behind, ip }, "shop")));
    expect(new Set(numbers).size).toBe(1);
    expect(kindOf(numbers[0] as number)).toBe("authenticated");
    expect(clusterOf(contextOf(behind, "bakery"))).not.toBe(numbers[0]);
  });

  it("is dealt if the front generated the gray key, also of a consumer, and bears the network's number", () => {
    const dealt = clusterOf(contextOf({ ...behind, grayKey: null }));
    expect([kindOf(dealt), dealt % clustersPerKind]).toEqual(["dealt", networkCluster(caller.ip, false)]);
    expect(clusterOf(contextOf({ ...behind, grayKey: null }, "shop"))).toBe(dealt);
    expect(networkCluster(caller.ip, true)).toBe(dealt);
  });

  it("is dealt neither without a front, nor by a cutover", () => {
    expect(kindOf(clusterOf(contextOf({ grayKey: null })))).toBe("anonymous");
    expect(kindOf(clusterOf(contextOf({ grayKey: null }, "shop")))).toBe("authenticated");
    expect(kindOf(partyClusterOf(contextOf({ ...behind, grayKey: null })))).toBe("anonymous");
    expect(kindOf(partyClusterOf(contextOf({ ...behind, grayKey: null }, "shop")))).toBe("authenticated");
  });

  it("of all clients without an address is one", () => {
    const ips = [null, "", "garbage", "1.2.3"];
    expect(new Set(ips.map((ip) => clusterOf(contextOf({ ...behind, ip })))).size).toBe(1);
  });

  it("is one of few numbers, used evenly", () => {
    const used = new Map<number, number>();
    for (let index = 0; index < 2 ** 16; index++) {
      const number = networkCluster(`10.${index >> 8}.${index & 255}.1`, false);
      used.set(number, (used.get(number) ?? 0) + 1);
    }
    expect(Math.max(...used.keys())).toBeLessThan(clustersPerKind);
    // Of 2^16 draws from 2^14 numbers, 98.2 % are hit on average.
    expect(used.size / clustersPerKind).toBeGreaterThan(0.97);
    expect(Math.max(...used.values())).toBeLessThan(20);
  });

  it("is four digits in the access log", () => {
    expect([0, 255, maxClusters - 1].map(clusterName)).toEqual(["0000", "00ff", "bfff"]);
  });
});

it("a coarser mask counts a part of the clusters that a finer one counts, and in the end none", () => {
  const counted = (every: number) =>
    Array.from({ length: maxClusters }, (_, cluster) => cluster).filter((it) => isCounted(it, every));
  for (let every = 1; every <= clustersPerKind; every *= 2) {
    expect(counted(every)).toHaveLength(maxClusters / every);
    expect(counted(2 * every).every((it) => isCounted(it, every))).toBe(true);
  }
  expect(counted(2 * clustersPerKind)).toEqual([]);
});
