/** What a rollback chooses, and which versions were taken back: from the platform's deployments, with and without control. */
import { describe, expect, it } from "vitest";
import type { Rollout } from "../../functions/control/model/rollout.ts";
import { deployGuard } from "../../infra/release/deploy-guard.ts";
import { type Releases, rollbackCandidates } from "../../infra/release/releases.ts";
import { knowledgeText, rolloutsOf } from "../../infra/release/rollout-knowledge.ts";
import { takenBackVersions } from "../../infra/release/taken-back.ts";

type Split = Readonly<Record<string, number>>;

const minute = 60_000;
const start = Date.UTC(2026, 10, 30, 17);

/** Deployments, oldest first, a minute apart: `{ v1: 90, v2: 10 }` and the message. */
const releases = (...deployments: readonly (readonly [split: Split, message?: string])[]): Releases => ({
  versions: [1, 2, 3, 4].map((number) => ({
    id: `v${number}`,
    number,
    metadata: { created_on: new Date(start).toISOString() },
  })),
  deployments: deployments
    .map(([split, message], index) => ({
      id: `d${index}`,
      created_on: new Date(start + index * minute).toISOString(),
      author_email: "bob@acme.example",
      ...(message !== undefined && { annotations: { "workers/message": message } }),
      versions: Object.entries(split).map(([version_id, percentage]) => ({ version_id, percentage })),
    }))
    .toReversed(),
});

const rollout = (canary: string, status: Rollout["status"], why: string, endedMinutes: number): Rollout =>
  ({
    id: `r-${canary}`,
    by: "alice",
    status,
    why,
    goal: { share: 50, done: ["gate"] },
    steps: [{ share: 50 }],
    step: 0,
    subjects: [{ worker: "gate", stable: "v1", canary }],
    startedAt: start,
    endedAt: start + endedMinutes * minute,
  }) as unknown as Rollout;

const chosen = (it: Releases, rollouts?: readonly Rollout[]) => {
  const back = takenBackVersions("gate", it, rollouts);
  return rollbackCandidates("gate", it, rollouts).find((id) => !back.has(id));
};

describe("without control", () => {
  it.each<[string, Releases, string | undefined, readonly string[]]>([
    ["the version before", releases([{ v1: 100 }], [{ v2: 100 }]), "v1", []],
    ["out of a split", releases([{ v1: 100 }], [{ v2: 100 }], [{ v2: 90, v3: 10 }]), "v2", []],
    [
      "not the version of an aborted rollout",
      releases(
        [{ v1: 100 }],
        [{ v2: 100 }],
        [{ v2: 100, v3: 0 }, "postern r1/1: 0 %"],
        [{ v3: 100 }, "postern r1/2: 100 %"],
        [{ v2: 100 }, "postern r1/3: back"],
      ),
      "v1",
      ["v3"],
    ],
    [
      "not the version of an earlier rollback, twice",
      releases([{ v1: 100 }], [{ v2: 100 }], [{ v3: 100 }], [{ v2: 100 }, "postern rollback"], [{ v1: 100 }, "x"]),
      undefined,
      ["v2", "v3"],
    ],
    [
      "a version that came back, was released again and was replaced by a newer one",
      releases(
        [{ v1: 100 }],
        [{ v1: 90, v2: 10 }],
        [{ v1: 100 }, "postern r1/3: back"],
        [{ v1: 100, v2: 0 }],
        [{ v2: 100 }],
        [{ v3: 100 }],
      ),
      "v2",
      [],
    ],
    [
      "not a version that is being tried again",
      releases(
        [{ v1: 100 }],
        [{ v2: 100 }, "postern r1/2: 100 %"],
        [{ v1: 100 }, "postern r1/3: back"],
        [{ v1: 90, v2: 10 }, "postern r2/2: 10 %"],
      ),
      "v1",
      ["v2"],
    ],
    [
      "a version that a newer one beside the stable one replaced was not taken back",
      releases([{ v1: 100 }], [{ v1: 90, v2: 10 }], [{ v1: 90, v3: 10 }]),
      "v1",
      [],
    ],
    ["no version before", releases([{ v1: 100 }]), undefined, []],
    ["no deployment", releases(), undefined, []],
  ])("%s", (_, it, to, back) => {
    expect(chosen(it)).toBe(to);
    expect([...takenBackVersions("gate", it).keys()].toSorted()).toEqual(back);
  });

  it("the message names the rollout, or the person", () => {
    const byRollout = releases([{ v1: 100 }], [{ v1: 90, v2: 10 }], [{ v1: 100 }, "postern r1/3: back"]);
    expect(takenBackVersions("gate", byRollout).get("v2")).toMatchObject({ rollout: "r1", isRollback: true });
    const byPerson = releases([{ v1: 100 }], [{ v2: 100 }], [{ v1: 100 }, "postern rollback: late complaints"]);
    expect(takenBackVersions("gate", byPerson).get("v2")).toEqual({
      at: start + 2 * minute,
      by: "bob@acme.example",
      why: "postern rollback: late complaints",
      isRollback: true,
    });
    const byDeployment = releases([{ v1: 100 }], [{ v2: 100 }], [{ v1: 100 }, "the old manifest"]);
    expect(takenBackVersions("gate", byDeployment).get("v2")).toMatchObject({ isRollback: false });
  });
});

describe("with control's history", () => {
  it("says why, and knows what the platform no longer lists", () => {
    const it = releases([{ v1: 100 }]);
    const why = "errors: 2 % against 0";
    const back = takenBackVersions("gate", it, [rollout("v2", "rolled-back", why, 5)]);
    expect(back.get("v2")).toMatchObject({ by: "rollout r-v2", why, at: start + 5 * minute });
    // The stable version of a rollout had all requests, although its deployment is too old to be listed.
    const long = releases([{ v1: 50, v3: 50 }], [{ v3: 100 }]);
    expect(chosen(long, [rollout("v3", "promoted", "", 1)])).toBe("v1");
  });

  it("the newest rollout of a version counts, and a later deployment to all users", () => {
    const it = releases([{ v1: 100 }], [{ v2: 100 }], [{ v3: 100 }]);
    expect(chosen(it, [rollout("v2", "promoted", "", 1), rollout("v2", "rolled-back", "errors", 0)])).toBe("v2");
    expect(chosen(it, [rollout("v2", "rolled-back", "errors", 0)])).toBe("v2");
    expect(chosen(it, [rollout("v2", "rolled-back", "errors", 2)])).toBe("v1");
  });
});

describe("a deployment", () => {
  const gate = { worker: "gate", kind: "gate", tiers: ["a"] } as const;
  const running = releases([{ v1: 100 }], [{ v1: 90, v2: 10 }, "postern 1fe43f7b/3: 10 %"]);
  const guard = (known: Parameters<typeof deployGuard>[0], retries = false) => deployGuard(known, retries);

  it("over a rollout is refused, by control's knowledge or by the platform's", async () => {
    const open = rollout("v2", "paused", "bob paused it", 0);
    const byControl = guard(async () => ({ rollouts: [open] }), true);
    const watched = guard(async () => ({
      rollouts: [{ ...open, steps: [{ share: 50, bakeMs: 1, hold: false, watch: true }] }],
    }));
    expect(await watched.refusalOf(gate, running, undefined, 0)).toBeUndefined();
    expect(await byControl.refusalOf(gate, running, undefined, 100)).toMatch(
      /^rollout r-v2 by alice is paused at 50 % \(bob paused it\)\n.*rollout abort a.*--force/,
    );
    const held = { ...open, status: "running", why: "the step at 50 % holds until a person promotes it" } as const;
    expect(await guard(async () => ({ rollouts: [held] })).refusalOf(gate, running, undefined, 100)).toMatch(
      /^rollout r-v2 by alice is waiting at 50 % \(the step at 50 % holds.*\nsee what it waits for \(npx postern rollout status a\), or/,
    );
    const gone = guard(async () => ({ unknown: "control does not answer" }));
    expect(await gone.refusalOf(gate, running, undefined, 100)).toMatch(
      /^rollout 1fe43f7b is running or paused at 10 %, .*control does not answer/,
    );
    const front = { worker: "postern-front", kind: "front", tiers: [] } as const;
    expect(await gone.refusalOf(front, running, undefined, 100)).toContain("npx postern rollout abort front");
    // Control knows that it is over, or the platform shows it.
    const over = guard(async () => ({ rollouts: [rollout("v2", "promoted", "", 1)] }));
    expect(await over.refusalOf(gate, running, undefined, 100)).toBeUndefined();
    const back = releases(
      [{ v1: 100 }],
      [{ v1: 90, v2: 10 }, "postern 1fe43f7b/3: 10 %"],
      [{ v1: 100 }, "postern 1fe43f7b/4: back"],
    );
    expect(await gone.refusalOf(gate, back, undefined, 100)).toBeUndefined();
  });

  it("of a version that was taken back is refused, except in a wave; of an older manifest's not", async () => {
    const gone = async () => ({ unknown: "control does not answer" });
    const back = releases([{ v1: 100 }], [{ v1: 90, v2: 10 }], [{ v1: 100 }, "postern 1fe43f7b/4: back"]);
    expect(await guard(gone).refusalOf(gate, back, "v2", 0)).toMatch(
      /^version v2 was taken back by rollout 1fe43f7b at 2026-11-30 17:02:00 UTC\n.*rollout retry a.*--force$/,
    );
    expect(await guard(gone, true).refusalOf(gate, back, "v2", 0)).toBeUndefined();
    expect(await guard(gone).refusalOf(gate, back, undefined, 100)).toBeUndefined();
    const older = releases([{ v1: 100 }], [{ v2: 100 }], [{ v1: 100 }, "the old manifest"]);
    expect(await guard(gone).refusalOf(gate, older, "v2", 100)).toBeUndefined();
  });

  it("of a version that cannot be retried names what can be done", async () => {
    const history = async () => ({ rollouts: [rollout("v2", "rolled-back", "errors", 2)] });
    const back = releases([{ v1: 100 }], [{ v1: 90, v2: 10 }], [{ v1: 100 }, "postern r-v2/4: back"]);
    expect(await guard(history).refusalOf(gate, back, "v2", 0)).toMatch(/: errors\n.*rollout retry a;.*--force$/);
    // Others were deployed since, so a retry would be refused, and a start is measured like any other.
    const since = releases(
      [{ v1: 100 }],
      [{ v1: 90, v2: 10 }],
      [{ v1: 100 }, "postern r-v2/4: back"],
      [{ v3: 100 }, "another"],
    );
    expect(await guard(history).refusalOf(gate, since, "v2", 0)).toBeUndefined();
    expect(await guard(history).refusalOf(gate, since, "v2", 10)).toMatch(/: errors\n.*rollout start a;.*--force$/);
    // A person rolled it back, with no rollout.
    const byPerson = releases([{ v1: 100 }], [{ v2: 100 }], [{ v1: 100 }, "postern rollback"]);
    const none = guard(async () => ({ rollouts: [] }));
    expect(await none.refusalOf(gate, byPerson, "v2", 0)).toBeUndefined();
    expect(await none.refusalOf(gate, byPerson, "v2", 100)).toMatch(
      /rollout start a; or deploy it all the same: --force$/,
    );
    const withoutControl = guard(async () => ({ unknown: "the environment has no control" }));
    expect(await withoutControl.refusalOf(gate, byPerson, "v2", 100)).toMatch(/UTC: postern rollback\ndeploy it all/);
  });
});

it("Workers without rollouts ask no control plane", async () => {
  const compiled = { tiers: [], environment: { name: "local", file: "local.yaml", value: {} } } as never;
  const target = { name: "local", variables: {} };
  const known = await rolloutsOf(".", compiled, target as never, "feed");
  expect(knowledgeText(known)).toMatch(/deployments alone: feed is released all at once, without rollouts$/);
  expect(knowledgeText(await rolloutsOf(".", compiled, target as never, "front"))).toMatch(/has no `control:`$/);
});
