/**
 * Clients who want to steer the verdict of a rollout, with real requests on one local cloud. One address, or two, cannot: neither with many
 * gray keys, nor if it knows which of them have the new version, nor with most of the slow requests. Many networks can hold a release, and are named. A
 * version that fails comes back all the same.
 */
import { expect, it } from "vitest";
import type { Rollout } from "../../functions/control/model/rollout.ts";
import { manifest, runService } from "../e2e/project.ts";
import { until } from "../until.ts";
import { attackerAddress, keepSending, keysOf } from "./attackers.ts";
import { full, type RolloutCloud, rolloutCloud, startUsers } from "./rollout-cloud.ts";

/** Longer where everything is tried alone: a busy machine sends fewer requests. */
const release = (share: number) =>
  `{ steps: ["${share}%", "100%"], bake: ${full ? 12 : 6}s, tolerate: { errors: +2pp, p99: +400%, refusals: +2pp } }`;

const tier = (name: string, share: number, url: string, version: "one" | "two") =>
  manifest(
    name,
    `release: ${release(share)}
filters: [{ headers: { response: { set: { x-release: ${version} } } } }]
upstreams: { it: { http: "${url}/${name}/${version}" } }
routes: { it: { match: GET /it, to: it } }
`,
  );

interface Attack {
  readonly edge: string;
  readonly tier: string;
  /** Keys of the new version. */
  readonly known: readonly string[];
}

/** No route matches, so the gate refuses it. */
const refused = ({ tier }: Attack) => `/${tier}/none`;
const networks = 12;

const attacks = {
  /** Which versions the keys have is chance. */
  "32 chosen keys of one address, refused": (it: Attack) =>
    keepSending(it.edge, 10, (n) => ({ path: refused(it), address: attackerAddress(1), key: `chosen-${n % 32}` })),
  "32 known keys of one address, refused": (it: Attack) =>
    keepSending(it.edge, 10, (n) => ({ path: refused(it), address: attackerAddress(2), key: it.known[n % 32] ?? "" })),
  "a third of all requests by one address, slow": (it: Attack) =>
    keepSending(it.edge, 25, () => ({
      path: `/${it.tier}/it?ms=400`,
      address: attackerAddress(3),
      key: it.known[0] ?? "",
    })),
  "known keys of twelve networks, refused": (it: Attack) =>
    keepSending(it.edge, 12, (n) => ({
      path: refused(it),
      address: attackerAddress(10 + (n % networks)),
      key: it.known[n % networks] ?? "",
    })),
} as const;

type AttackName = keyof typeof attacks;
const [chosen, known, whale, many] = Object.keys(attacks) as [AttackName, AttackName, AttackName, AttackName];

interface Scenario {
  readonly attacks: readonly AttackName[];
  readonly share: number;
  /** How many keys of the new version they have to know. */
  readonly knows: number;
  readonly status: Rollout["status"];
  readonly why: RegExp;
}

/** So many users that a pass takes a minute. */
const harmless = { share: 50, status: "promoted", why: /^all users have the new version$/ } as const;

const scenarios: Readonly<Record<string, Scenario>> = {
  ...(full && {
    chosen: { ...harmless, attacks: [chosen], knows: 0 },
    known: { ...harmless, attacks: [known], knows: 32 },
    whale: { ...harmless, attacks: [whale], knows: 1 },
  }),
  // Two networks, and a third one with another criterion.
  three: { ...harmless, attacks: [chosen, known, whale], knows: 32 },
  many: {
    attacks: [many],
    share: 10,
    knows: networks,
    status: "paused",
    why: /^held at 10 %: .* refused .*clients that nobody authenticated can cause this, so a person decides \(most from /,
  },
  failing: { attacks: [chosen], share: 20, knows: 0, status: "rolled-back", why: / requests failed .*: all 503 from / },
};

/** Sleeps as a request says. The new version of `failing` fails one request in ten. */
const business = () => {
  let count = 0;
  return runService((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://it");
    response.statusCode = pathname.startsWith("/failing/two") && ++count % 10 === 0 ? 503 : 200;
    setTimeout(() => response.end("ok"), Number(searchParams.get("ms") ?? 0));
  });
};

/** Clusters of the attackers, as the access log names them. */
const loggedClusters = ({ lines }: RolloutCloud, tier: string): Set<string> =>
  new Set(
    lines
      .flatMap((line) => (line.startsWith("{") ? [JSON.parse(line)] : []))
      .filter((it) => it.type === "access" && it.tier === tier && it.code === "route-unknown")
      .map(({ cluster }) => cluster),
  );

const runScenario = async (it: RolloutCloud, name: string, scenario: Scenario, load: ReturnType<typeof startUsers>) => {
  const { edge } = it.cloud;
  await it.start(name);
  await until(async () => (await it.status(name)).stretches.length > 0, "it has users", 30_000);
  const keys = await keysOf(edge, `/${name}/it`, "two", scenario.knows);
  expect(keys).toHaveLength(scenario.knows);
  const attack = { edge, tier: name, known: keys };
  const senders = scenario.attacks.map((which) => attacks[which](attack));
  const end = await it.settled(name, full ? 240_000 : 120_000);
  const sent = senders.reduce((sum, stop) => sum + stop(), 0);
  const met = await load.end();
  const seconds = (((end.endedAt ?? Date.now()) - end.startedAt) / 1000).toFixed(0);
  console.log(
    `${scenario.attacks.join(" and ")}: ${sent} requests; the version of ${name} is ${end.status} after ${seconds} s; ${met.releases.two ?? 0} of ${met.sent} requests of others and ${met.users.two ?? 0} of their clients met it, ${met.failures.two ?? 0} failed; ${end.why}`,
  );
  return { end, met };
};

it("one or two clients do not steer a verdict, many networks hold and are named, and a failing version comes back", {
  timeout: full ? 1_800_000 : 300_000,
}, async () => {
  const { url } = await business();
  const all = Object.entries(scenarios);
  const it = await rolloutCloud(
    Object.fromEntries(all.map(([name, { share }]) => [`routes/${name}.yaml`, tier(name, share, url, "one")])),
  );
  const write = () => {
    for (const [name, { share }] of all) it.edit(`routes/${name}.yaml`, tier(name, share, url, "two"));
  };
  // Stable's latencies before the release are what the new version is compared with.
  const usersOf = (name: string) => startUsers(it.cloud.edge, `/${name}/it`, 200, 50);
  const run = async (some: typeof all) => {
    const loads = some.map(([name]) => usersOf(name));
    const since = Date.now();
    await until(() => Date.now() - since > 6000, "stable has a past", 10_000);
    return Promise.all(
      some.map(async ([name, scenario], index) => {
        const load = loads[index] as ReturnType<typeof startUsers>;
        return { name, scenario, ...(await runScenario(it, name, scenario, load)) };
      }),
    );
  };
  write();
  await it.uploadEdited();
  const results = full ? [] : await run(all);
  if (full) for (const one of all) results.push(...(await run([one])));
  for (const { name, scenario, end } of results) {
    expect(end, name).toMatchObject({ status: scenario.status, why: expect.stringMatching(scenario.why) });
    if (name !== "many") continue;
    const named = [...end.why.slice(end.why.indexOf("(most from")).matchAll(/`([0-9a-f]{4})`/g)].map(([, it]) => it);
    expect(named.length).toBeGreaterThan(0);
    expect([...loggedClusters(it, name)]).toEqual(expect.arrayContaining(named));
  }
});
