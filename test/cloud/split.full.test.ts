/**
 * Which version takes a request: overrides, then keys, then chance; by the function, at the edge and behind a binding.
 */
import { describe, expect, it } from "vitest";
import {
  chooseVersion,
  overridesHeader,
  percentileOf,
  type Share,
  versionKeyHeader,
} from "../../infra/cloud/machine/split.ts";
import { callApi, postRequest, putRequest, uploadForm } from "./api-client.ts";
import { openLocalCloud } from "./local-cloud.ts";

const old = "0d000000-0000-4000-8000-000000000001";
const fresh = "fe000000-0000-4000-8000-000000000002";
const gone = "00000000-0000-4000-8000-000000000003";

/** Of the new version, which is named first or last, since the order means nothing. */
const at = (percentage: number, first = false): Share[] => {
  const shares = [
    { id: old, number: 1, percentage: 100 - percentage },
    { id: fresh, number: 2, percentage },
  ];
  return first ? shares.toReversed() : shares;
};

const headersOf = (overrides?: string, key?: string) => ({
  get: (name: string) => (name === overridesHeader ? overrides : name === versionKeyHeader ? key : undefined) ?? null,
});

/** The same numbers in every run (mulberry32). */
const seededRandom = (seed: number) => {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
};

/** How far a count may lie from its mean but once in ten thousand times, by the normal approximation. */
const bound = (count: number, percentage: number): number =>
  3.891 * Math.sqrt(count * (percentage / 100) * (1 - percentage / 100));

const keys = Array.from({ length: 10_000 }, (_, index) => `user-${index}`);
const newByKey = (worker: string, percentage: number, some = keys) =>
  new Set(
    some.filter((key) => chooseVersion(worker, at(percentage), headersOf(undefined, key), () => 0)?.id === fresh),
  );

describe("an override", () => {
  it.each<[what: string, header: string, percentage: number, id: string, by: string]>([
    ["names the new version", `app="${fresh}"`, 0, fresh, "override"],
    ["names the old version", `app="${old}"`, 100, old, "override"],
    ["stands among those of others", `other="${old}", app="${fresh}", more=1`, 0, fresh, "override"],
    ["has parameters", `app="${fresh}";a=1`, 0, fresh, "override"],
    ["comes twice: the last one counts", `app="${old}", app="${fresh}"`, 0, fresh, "override"],
    ["is for another Worker", `other="${fresh}"`, 0, old, "chance"],
    ["is for a Worker whose name begins alike", `app2="${fresh}"`, 0, old, "chance"],
    ["names a version that is not deployed", `app="${gone}"`, 0, old, "chance"],
    ["names a version in upper case", `app="${fresh.toUpperCase()}"`, 0, old, "chance"],
    ["names the beginning of a version", `app="${fresh.slice(0, 8)}"`, 0, old, "chance"],
    ["is a token", "app=fe000000", 0, old, "chance"],
    ["is no text: a number", "app=1", 0, old, "chance"],
    ["is no text: bytes", "app=:AAAA:", 0, old, "chance"],
    ["is a list", `app=("${fresh}")`, 0, old, "chance"],
    ["is empty", "", 0, old, "chance"],
    ["has no value", "app", 0, old, "chance"],
    ["has no quotes", `app=${fresh}`, 0, old, "chance"],
    ["is not closed", `app="${fresh}`, 0, old, "chance"],
    ["has a comma too many", `app="${fresh}",`, 0, old, "chance"],
    ["is broken further on", `app="${fresh}", ???`, 0, old, "chance"],
    ["is under a name in upper case, which no dictionary has", `App="${fresh}"`, 0, old, "chance"],
    ["is under a name of every object", `__proto__="${fresh}"`, 0, old, "chance"],
  ])("that %s", (_, header, percentage, id, by) => {
    expect(chooseVersion("app", at(percentage), headersOf(header), () => 0.5)).toEqual({ id, by });
  });

  it("goes ahead of a key; one that does not count leaves it to the key", () => {
    const [key = ""] = newByKey("app", 10);
    expect(chooseVersion("app", at(10), headersOf(`app="${old}"`, key), () => 0.5)).toEqual({
      id: old,
      by: "override",
    });
    expect(chooseVersion("app", at(10), headersOf(`app="${gone}"`, key), () => 0.5)).toEqual({
      id: fresh,
      by: "version-key",
    });
  });
});

describe("without one", () => {
  it.each<[what: string, shares: readonly Share[], chance: number, id: string | undefined]>([
    ["one version", [{ id: old, number: 1, percentage: 100 }], 0.999, old],
    ["no version", [], 0, undefined],
    ["the end that is the new one's", at(10), 0.0999, fresh],
    ["the beginning of the old one's", at(10), 0.1, old],
    ["the end of a tenth of a percent", at(0.1), 0.00099, fresh],
    ["what follows a tenth of a percent", at(0.1), 0.00101, old],
    ["the last tenth of a percent", at(99.9), 0.9995, old],
    ["0 %, at the lowest chance", at(0), 0, old],
    ["100 %, at the highest chance", at(100), 1 - 2 ** -32, fresh],
    [
      "a sum a little below 100",
      [
        { id: old, number: 1, percentage: 66.7 - 1e-7 },
        { id: fresh, number: 2, percentage: 33.3 },
      ],
      1 - 2 ** -53,
      old,
    ],
    [
      "a sum a little below 100, with nothing for the old one",
      [
        { id: old, number: 1, percentage: 0 },
        { id: fresh, number: 2, percentage: 100 - 1e-7 },
      ],
      1 - 2 ** -53,
      fresh,
    ],
  ])("%s", (_, shares, chance, id) => {
    expect(chooseVersion("app", shares, headersOf(), () => chance)?.id).toBe(id);
    expect(chooseVersion("app", shares.toReversed(), headersOf(), () => chance)?.id).toBe(id);
  });

  it("an empty key is none", () => {
    expect(chooseVersion("app", at(10), headersOf(undefined, ""), () => 0.05)).toEqual({ id: fresh, by: "chance" });
  });

  it("nothing at 0 % has any of 10,000 keys", () => expect(newByKey("app", 0).size).toBe(0));

  it.each([10, 0.5])(
    "of 10,000 requests at %d %, the new version has its part, within 99.99 % of a binomial's mass",
    (percentage) => {
      const random = seededRandom(20_261_103);
      const count = keys.filter(() => chooseVersion("app", at(percentage), headersOf(), random)?.id === fresh).length;
      expect(Math.abs(count - percentage * 100)).toBeLessThan(bound(10_000, percentage));
    },
  );
});

describe("a key", () => {
  it("never moves back while the share rises, and each share of 10,000 keys is within 99.99 % of a binomial's mass", () => {
    const steps = [0.1, 1, 5, 20, 50, 99.9, 100].map((percentage) => ({ percentage, on: newByKey("app", percentage) }));
    for (const [index, { percentage, on }] of steps.entries()) {
      expect([...(steps[index - 1]?.on ?? [])].filter((key) => !on.has(key))).toEqual([]);
      expect(Math.abs(on.size - percentage * 100)).toBeLessThanOrEqual(bound(10_000, percentage));
    }
  });

  it("is elsewhere in another Worker: the two choices are independent", () => {
    const [one, other] = [newByKey("app", 50), newByKey("other", 50)];
    expect(Math.abs([...one].filter((key) => other.has(key)).length - 2500)).toBeLessThan(bound(10_000, 25));
  });

  it("falls into one place, from 0 up to 100 but not 100 itself", () => {
    for (const key of ["", "a", "ä", "\0", "x".repeat(10_000)]) {
      expect(percentileOf("app", key)).toBe(percentileOf("app", key));
      expect(percentileOf("app", key)).toBeGreaterThanOrEqual(0);
      expect(percentileOf("app", key)).toBeLessThan(100);
    }
    expect(percentileOf("a", "b")).not.toBe(percentileOf("ab", ""));
  });
});

describe("through the edge", () => {
  const requests = 2000;
  const back = (release: number) => `export default { fetch: () => new Response("${release}") };`;
  const front = `export default { fetch: (request, env) => env.BACK.fetch("http://back/", { headers: request.headers }) };`;

  it(`${requests} requests at 90/10 are within 99.99 %, and no key moves back over five raises, by route and by binding`, async () => {
    const local = await openLocalCloud({ random: seededRandom(7) });
    try {
      const succeed = async (request: Parameters<typeof callApi>[1]) => {
        const { status, message } = await callApi(local.cloud, request);
        if (status !== 200) throw new Error(message);
      };
      const bindings = [{ name: "BACK", type: "service", service: "back" }];
      await succeed(putRequest("/workers/scripts/back", uploadForm(back(1))));
      await succeed(postRequest("/workers/scripts/back/versions", uploadForm(back(2))));
      await succeed(putRequest("/workers/scripts/front", uploadForm(front, { bindings })));
      await succeed(putRequest("/workers/scripts/back/routes", [{ pattern: "back.example/*" }]));
      await succeed(putRequest("/workers/scripts/front/routes", [{ pattern: "front.example/*" }]));
      const [first, second] = local.cloud.control.worker("back").versions;
      const raise = (percentage: number) =>
        succeed(
          postRequest("/workers/scripts/back/deployments", {
            versions: [
              { version_id: first?.id, percentage: 100 - percentage },
              { version_id: second?.id, percentage },
            ],
          }),
        );
      const answers = async (host: string, headers: readonly Record<string, string>[]) => {
        const all: string[] = [];
        for (let from = 0; from < headers.length; from += 50)
          for (const { text } of await Promise.all(
            headers.slice(from, from + 50).map((it) => local.get(host, "/", it)),
          ))
            all.push(text);
        return all;
      };
      await raise(10);
      const random = await answers(
        "back.example",
        Array.from({ length: requests }, () => ({})),
      );
      expect(new Set(random)).toEqual(new Set(["1", "2"]));
      expect(Math.abs(random.filter((it) => it === "2").length - requests / 10)).toBeLessThan(bound(requests, 10));
      const byBinding = await answers(
        "front.example",
        Array.from({ length: 500 }, () => ({})),
      );
      expect(Math.abs(byBinding.filter((it) => it === "2").length - 50)).toBeLessThan(bound(500, 10));

      const some = keys.slice(0, 300);
      const withKeys = some.map((key) => ({ [versionKeyHeader]: key }));
      for (const percentage of [1, 5, 20, 50, 100]) {
        await raise(percentage);
        const on = newByKey("back", percentage, some);
        const wanted = some.map((key) => (on.has(key) ? "2" : "1"));
        expect(await answers("back.example", withKeys)).toEqual(wanted);
        expect(await answers("front.example", withKeys)).toEqual(wanted);
      }
      await raise(0);
      const overridden = { [overridesHeader]: `back="${second?.id}"` };
      expect(await answers("back.example", [{}, overridden])).toEqual(["1", "2"]);
      expect(await answers("front.example", [{}, overridden])).toEqual(["1", "2"]);
    } finally {
      await local.close();
    }
  });
});
