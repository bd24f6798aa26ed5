/** All kinds of changes, with risk and meaning. The reference is generated from this table. */

export const grades = ["low", "medium", "high"] as const;
export type Risk = (typeof grades)[number];

/** Low: access does not change. Medium: review it. High: it may weaken security or break clients, so confirm it. */
export const changeKinds = {
  "identity-removed": ["high", "A route no longer identifies its callers."],
  "identity-weakened": ["high", "A route accepts more identities, or accepts them for longer."],
  "identity-changed": ["high", "A route accepts other identities than before."],
  "identity-strengthened": ["low", "A route accepts fewer identities; callers may be refused."],
  "access-weakened": ["high", "Callers may do what was forbidden before."],
  "access-changed": ["high", "Other callers than before are authorized."],
  "access-strengthened": ["low", "Callers may no longer do what was allowed before."],
  "caller-changed": ["high", "The identity that a service receives in headers changes."],
  "write-exposed": ["high", "A write is open to unauthenticated callers."],
  "read-exposed": ["medium", "A read is open to unauthenticated callers."],
  "requests-unguarded": ["high", "Requests go to another route than before, and that route does not identify callers."],
  "requests-seized": ["high", "Requests go to another owner's route than before."],
  "requests-lost": ["high", "Requests that a route took go to another tier, which has no route for them."],
  "requests-taken": ["medium", "Requests go to another route than before."],
  "limit-removed": ["high", "A limit is removed."],
  "limit-multiplied": ["high", "A limit or timeout is raised at least tenfold."],
  "limit-raised": ["medium", "A limit is raised."],
  "limit-changed": ["medium", "A limit counts in another way than before."],
  "limit-lowered": ["low", "A limit is lowered; callers may notice."],
  "browser-opened": ["high", "Pages of more origins may call, read or send."],
  "browser-closed": ["low", "Pages of fewer origins may call, read or send."],
  "validation-weakened": ["high", "Requests that failed validation before reach a service."],
  "validation-changed": ["medium", "Requests are checked by another document, or another operation of it."],
  "requests-copied": ["high", "Requests, credentials included, go to another service too, or more of them do."],
  "filter-added": ["low", "A filter is added, which may refuse requests that passed before."],
  "filter-removed": ["medium", "A filter is removed."],
  "filter-weakened": ["medium", "A filter protects less."],
  "filter-strengthened": ["low", "A filter protects more."],
  "filter-changed": ["medium", "A filter does something else than before."],
  "filters-reordered": ["medium", "Filters run in another order."],
  "filter-renamed": ["low", "A filter has a new id: its counters are reset, and overlays that name it have no effect."],
  "route-added": ["low", "A route is added, for identified callers."],
  "route-removed": ["high", "A route is removed; requests that no other route matches are answered 404."],
  "route-renamed": ["medium", "A route has a new name in metrics and overlays; it matches the same requests."],
  "route-moved": ["medium", "A route belongs to another tier; it matches the same requests."],
  "route-closed": ["high", "A route answers 503 to everybody."],
  "route-opened": ["medium", "A route that answered 503 serves again."],
  "match-changed": ["medium", "A route matches other requests than before."],
  "destination-changed": ["medium", "Requests have another destination than before."],
  "cutover-changed": ["medium", "Users move between the old gateway and this one."],
  "route-changed": ["low", "A setting of a route changes that has no effect on who gets access."],
  "upstream-added": ["low", "An upstream is added."],
  "upstream-removed": ["low", "An upstream is removed."],
  "upstream-renamed": ["low", "An upstream has a new name within the manifest."],
  "upstream-changed": ["medium", "The address or settings of an upstream change."],
  "upstream-plaintext": ["high", "A service is called without encryption."],
  "upstream-unsigned": [
    "high",
    "Requests to a service are no longer signed, so it cannot verify that they came through the gate.",
  ],
  "tier-added": ["medium", "A tier is added, with a gate of its own."],
  "tier-removed": ["high", "A tier is removed; requests that no other route matches are answered 404."],
  "tier-dissolved": ["medium", "A tier is removed, and all its routes belong to others."],
  "tier-renamed": ["high", "A tier has a new name: a new gate, secrets to set again, counters that are reset."],
  "host-added": ["high", "All routes of a tier are served on an additional host."],
  "host-removed": ["high", "A host is no longer served."],
  "base-changed": ["high", "All routes of a tier have another base path."],
  "base-strip-changed": ["high", "All services of a tier receive other paths: without its base, or with it."],
  "entry-changed": ["high", "Requests reach the gate on another way: through the front or straight from the zone."],
  "header-accepted": ["high", "Clients can set a header that was removed from requests before."],
  "header-refused": ["low", "A header that services received is now removed from requests."],
  "isolation-changed": ["medium", "Routes are served by another Worker."],
  "level-changed": ["medium", "The level of a tier changes: its state, its place in waves, who approves."],
  "bound-multiplied": ["high", "A limit of a gate is raised at least tenfold."],
  "bound-raised": ["medium", "A limit of a gate is raised."],
  "bound-lowered": ["low", "A limit of a gate is lowered."],
  "secret-written": ["high", "A secret is written into a file of the repository."],
  "secret-added": ["medium", "A secret has to be set before the release."],
  "secret-removed": ["low", "A tier no longer reads a secret."],
  "release-loosened": ["medium", "The release criteria are loosened, so a bad version could reach more users."],
  "release-changed": ["low", "The release of new versions changes."],
  "owner-changed": ["medium", "The owner of a tier changes."],
  "tier-changed": ["low", "A setting of a tier changes that has no effect on who gets access."],
  "consumer-added": ["medium", "A consumer is added; its keys are accepted."],
  "consumer-removed": ["medium", "A consumer is removed; its keys are refused."],
  "consumer-changed": ["medium", "Keys or labels of a consumer change."],
  "environment-added": ["medium", "An environment is added."],
  "environment-removed": ["high", "An environment is removed."],
  "environment-changed": ["medium", "Settings of an environment change, for all tiers."],
  "operators-changed": ["high", "The operators, or their keys, change: who may release, close routes and approve."],
  other: ["medium", "The plans differ in a way that has no other kind."],
} as const satisfies Readonly<Record<string, readonly [Risk, string]>>;

export type ChangeKind = keyof typeof changeKinds;

export const riskOf = (kind: ChangeKind): Risk => changeKinds[kind][0];

/** Negative if `a` is less risky than `b`. */
export const compareRisk = (a: Risk, b: Risk): number => grades.indexOf(a) - grades.indexOf(b);

/** The highest risk. */
export const highestRisk = (all: readonly Risk[]): Risk | undefined => all.toSorted(compareRisk).at(-1);
