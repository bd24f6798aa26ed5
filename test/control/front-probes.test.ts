/** Control's probes of the front: what they compare, what proves nothing, and what fails a release. */
import { describe, expect, it } from "vitest";
import type { Finding } from "../../functions/control/model/finding.ts";
import type { ControlPlan } from "../../functions/control/model/plan.ts";
import {
  type ProbeTarget,
  probeFront,
  probeTargets,
  smokeTestFront,
} from "../../functions/control/probes/front-probes.ts";

const subject = { worker: "postern-front", stable: "stable-id", canary: "canary-id" };

type Reply = (url: string) => Response | Error;

const named = (version: string, status = 200, headers: Record<string, string> = {}) =>
  new Response(null, { status, headers: { "postern-front-version": version, ...headers } });

/** Both versions, each with its answer. */
const probesOf = (stable: Reply, canary: Reply) => {
  const sent: { readonly url: string; readonly headers: Headers }[] = [];
  const labels: (readonly string[])[] = [];
  let now = 0;
  const ports = {
    fetch: async (url: string, init: RequestInit) => {
      const headers = new Headers(init.headers);
      sent.push({ url, headers });
      const chosen = headers.get("cloudflare-workers-version-overrides");
      const answer = (chosen === 'postern-front="canary-id"' ? canary : stable)(url);
      if (answer instanceof Error) throw answer;
      return answer;
    },
    label: async (tiers: readonly string[]) => {
      labels.push(tiers);
      return "a label";
    },
    now: () => now,
  };
  let findings: Finding[] = [];
  return {
    sent,
    labels,
    smoke: (targets: readonly ProbeTarget[]) => smokeTestFront({ subjects: [subject] }, targets, ports),
    round: async (targets: readonly ProbeTarget[]): Promise<Finding | undefined> => {
      const verdict = { verdict: "not-enough" as const, findings };
      findings = await probeFront({ subjects: [subject], verdict }, targets, ports);
      now += 2000;
      return findings[0];
    },
  };
};

const target = (send = "GET /a/", expectStatus?: number): ProbeTarget => ({
  tier: "a",
  send,
  url: `https://a.example${send.slice(4)}`,
  ...(expectStatus !== undefined && { expect: expectStatus }),
});

describe("the targets of probes", () => {
  const plan = {
    front: null,
    frontFacts: { host: "a.example" },
    tiers: {
      a: { host: "a.example", base: "/a" },
      all: { host: "*.b.example", base: "/" },
    },
  } as unknown as ControlPlan;

  it("are the roots of the tiers, each on its own host", () => {
    expect(probeTargets(plan, [])).toEqual([
      { tier: "a", send: "GET /a/", url: "https://a.example/a/" },
      { tier: "all", send: "GET /", url: "https://probe.b.example/" },
    ]);
  });

  it("are the release's own, on the host of the tier with the longest base", () => {
    expect(
      probeTargets({ ...plan, front: "http://edge" }, [{ send: "POST /a/x", expect: 401 }, { send: "GET /b" }]),
    ).toEqual([
      { tier: "a", send: "POST /a/x", url: "http://edge/a/x", expect: 401 },
      { tier: "all", send: "GET /b", url: "http://edge/b", expect: undefined },
    ]);
  });
});

describe("a probe", () => {
  it("goes to both versions as a tester, whom no gate counts", async () => {
    const { sent, labels, round } = probesOf(
      () => named("stable-id", 404),
      () => named("canary-id", 404),
    );
    expect(await round([target()])).toMatchObject({ criterion: "probe", verdict: "pass", probes: {} });
    expect(sent.map(({ headers }) => headers.get("cloudflare-workers-version-overrides"))).toEqual([
      'postern-front="stable-id"',
      'postern-front="canary-id"',
    ]);
    expect(sent.map(({ headers }) => headers.get("postern-label"))).toEqual(["a label", "a label"]);
    expect(labels).toEqual([["a"]]);
  });

  it.each([
    ["a higher class of status", () => named("canary-id", 503), "it answered 503, the stable version 200"],
    ["no answer", () => new Error("reset"), "no answer (reset)"],
    ["no name of its version", () => new Response(null), "it answered 200 and did not name its version"],
    ["a header less", () => named("canary-id"), "its answer has no header x-served-by"],
  ] as [string, Reply, string][])("with %s fails the release at the third time in a row", async (_, canary, why) => {
    const { round } = probesOf(
      () => named("stable-id", 200, { "x-served-by": "a", date: "now", "cf-ray": "1" }),
      canary,
    );
    expect(await round([target()])).toMatchObject({
      verdict: "not-enough",
      why: `probes: GET /a/: ${why}, 1 of 3 times in a row`,
    });
    expect(await round([target()])).toMatchObject({ verdict: "not-enough", probes: { "GET /a/": 2 } });
    expect(await round([target()])).toMatchObject({
      verdict: "fail",
      why: `probes: GET /a/: ${why}, 3 of 3 times in a row`,
    });
  });

  it.each([
    ["fails now and then", () => named("stable-id"), (count) => named("canary-id", count % 2 === 1 ? 503 : 200)],
    [
      "sends a header by chance",
      () => named("stable-id", 200, { "x-cache": "hit" }),
      (count) => named("canary-id", 200, count % 2 === 0 ? { "x-cache": "hit" } : {}),
    ],
    [
      "names a header anew each time",
      (count) => named("stable-id", 200, { [`x-${count}`]: "1" }),
      (count) => named("canary-id", 200, { [`x-c${count}`]: "1" }),
    ],
  ] as [string, (count: number) => Response, (count: number) => Response][])(
    "is not worse for a service that %s",
    async (_, stable, canary) => {
      let count = 0;
      const { round } = probesOf(
        () => stable(++count),
        () => canary(count),
      );
      for (let index = 0; index < 5; index++) expect(await round([target()])).toMatchObject({ verdict: "pass" });
    },
  );

  it("bounds what it says of a service's headers", async () => {
    const many = Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`x-${"n".repeat(200)}-${index}`, "1"]));
    const { round } = probesOf(
      () => named("stable-id", 200, many),
      () => named("canary-id"),
    );
    const finding = await round([target()]);
    expect(finding?.why).toContain(" and 295 more, 1 of 3 times");
    expect(finding?.why.length).toBeLessThan(800);
  });

  it("counts from the start again after a good answer", async () => {
    let count = 0;
    const { round } = probesOf(
      () => named("stable-id"),
      () => named("canary-id", count % 3 === 2 ? 200 : 500),
    );
    const verdicts = [];
    for (; count < 7; count++) verdicts.push((await round([target()]))?.verdict);
    expect(verdicts).toEqual(["not-enough", "not-enough", "pass", "not-enough", "not-enough", "pass", "not-enough"]);
  });

  it.each([
    [
      "the other version answers, as a new split takes a moment",
      () => named("stable-id"),
      () => named("stable-id", 500),
      "the new version was not reached",
    ],
    [
      "all users have the new version, as after the promotion",
      () => named("canary-id"),
      () => named("canary-id"),
      "the stable version was not reached",
    ],
    ["neither version answers", () => new Error("gone"), () => new Error("gone"), "neither version answered (gone)"],
    [
      "the stable version fails as well",
      () => named("stable-id", 500),
      () => named("canary-id", 502),
      "the stable version answered 500",
    ],
  ] as [string, Reply, Reply, string][])("proves nothing where %s", async (_, stable, canary, why) => {
    const { round } = probesOf(stable, canary);
    for (let index = 0; index < 5; index++)
      expect(await round([target()])).toMatchObject({
        verdict: "not-enough",
        probes: {},
        why: `probes: GET /a/: ${why}`,
      });
  });

  it("finds a tier that the new version adds", async () => {
    const { round } = probesOf(
      () => named("stable-id", 404),
      () => named("canary-id", 401),
    );
    expect(await round([target()])).toMatchObject({ verdict: "pass" });
  });

  it("repeats the ones that failed, and comes to all others", async () => {
    const targets = Array.from({ length: 10 }, (_, index) => target(`GET /${index}`));
    const { sent, round } = probesOf(
      () => named("stable-id"),
      (url) => named("canary-id", url.endsWith("/4") ? 500 : 200),
    );
    const seen = new Set<string>();
    let last: Finding | undefined;
    for (let index = 0; index < 8 && last?.verdict !== "fail"; index++) {
      sent.length = 0;
      last = await round(targets);
      // A worse answer is compared again.
      expect(sent.length).toBe(6 + (sent.some(({ url }) => url.endsWith("/4")) ? 2 : 0));
      for (const { url } of sent) seen.add(url);
    }
    expect(last).toMatchObject({ verdict: "fail", probes: { "GET /4": 3 } });
    expect(seen.size).toBeGreaterThan(7);
  });
});

describe("the smoke test of a front", () => {
  it("passes where both versions answer alike", async () => {
    const { smoke } = probesOf(
      () => named("stable-id", 401),
      () => named("canary-id", 401),
    );
    expect(await smoke([target(), target("GET /b/")])).toEqual({
      ok: true,
      why: "2 probes were answered alike by both versions",
    });
  });

  it.each([
    [() => named("canary-id", 500), "it answered 500, the stable version 200", 12],
    [() => named("stable-id"), "the new version was not reached", 6],
  ] as [Reply, string, number][])("fails after three attempts: %#", async (canary, why, count) => {
    const { smoke, sent } = probesOf(() => named("stable-id"), canary);
    expect(await smoke([target()])).toEqual({ ok: false, why: `smoke test GET /a/: ${why}` });
    expect(sent).toHaveLength(count);
  });

  it("expects a status where the release names one, whatever the stable version answers", async () => {
    const { smoke } = probesOf(
      () => named("stable-id", 500),
      () => named("canary-id", 401),
    );
    expect(await smoke([target("GET /a/", 401)])).toMatchObject({ ok: true });
    expect(await smoke([target("GET /a/", 200)])).toMatchObject({
      ok: false,
      why: "smoke test GET /a/: it answered 401, not 200",
    });
  });
});
