/** All kinds of changes, with risk and meaning. The reference is generated from this table. */

export const grades = ["low", "medium", "high"] as const;
export type Risk = (typeof grades)[number];

/** Low: access does not change. Medium: review it. High: it may weaken security or break clients, so confirm it. */
export const changeKinds = {
  "identity-removed": ["high", "A route lets in callers whom nothing identifies any more."],
  "identity-weakened": ["high", "A route believes more callers, or believes them longer."],
  "identity-changed": ["high", "A route believes other callers than before."],
  "identity-strengthened": ["low", "A route believes fewer callers, who have to notice."],
  "access-weakened": ["high", "Callers may do what they were kept from."],
  "access-changed": ["high", "Other callers may do it than before."],
  "access-strengthened": ["low", "Callers are kept from what they could do."],
  "caller-changed": ["high", "A service is told something else about its caller, and believes it."],
  "write-exposed": ["high", "Anybody may call what changes something."],
  "read-exposed": ["medium", "Anybody may read what nobody could."],
  "requests-unguarded": ["high", "Requests go to another route than before, which asks for less identity."],
  "requests-seized": ["high", "Requests go to another owner's route than before."],
  "requests-lost": ["high", "Requests that a route took go to another tier, which has no route for them."],
  "requests-taken": ["medium", "Requests go to another route than before."],
  "limit-removed": ["high", "What was counted or bounded is not any more."],
  "limit-multiplied": ["high", "At least ten times as much is let through, or waited for."],
  "limit-raised": ["medium", "More is let through than before."],
  "limit-changed": ["medium", "It is counted otherwise than before."],
  "limit-lowered": ["low", "Less is let through, which callers may notice."],
  "browser-opened": ["high", "Pages of more origins may call, read or send."],
  "browser-closed": ["low", "Pages of fewer origins may call, read or send."],
  "validation-weakened": ["high", "Requests that a document does not allow reach a service."],
  "validation-changed": ["medium", "Requests are checked by another document, or another operation of it."],
  "requests-copied": ["high", "Requests, credentials included, go to another service too, or more of them do."],
  "filter-added": ["low", "A filter more, which may refuse what has passed."],
  "filter-removed": ["medium", "A filter less."],
  "filter-weakened": ["medium", "A filter protects less."],
  "filter-strengthened": ["low", "A filter protects more."],
  "filter-changed": ["medium", "A filter does something else than before."],
  "filters-reordered": ["medium", "Filters run in another order."],
  "filter-renamed": [
    "low",
    "A filter has another id: its counts begin anew, and overlays that name it have no effect.",
  ],
  "route-added": ["low", "A route more, for callers who are identified."],
  "route-removed": ["high", "A route is gone; where no other one takes its requests, they are answered 404."],
  "route-renamed": ["medium", "A route has another name in metrics and overlays; its requests stay."],
  "route-moved": ["medium", "A route belongs to another tier; its requests stay."],
  "route-closed": ["high", "A route answers 503 to everybody."],
  "route-opened": ["medium", "A route that answered 503 serves again."],
  "match-changed": ["medium", "A route takes other requests than before."],
  "destination-changed": ["medium", "Requests are answered by something else than before."],
  "cutover-changed": ["medium", "Users are moved between the old gateway and this one."],
  "route-changed": ["low", "Something of a route that decides nothing about who gets in."],
  "upstream-added": ["low", "A service more that the tier can call."],
  "upstream-removed": ["low", "A service less that the tier can call."],
  "upstream-renamed": ["low", "A service is called otherwise within the manifest."],
  "upstream-changed": ["medium", "A service is called elsewhere or otherwise."],
  "upstream-plaintext": ["high", "A service is called without encryption."],
  "upstream-unsigned": ["high", "A service cannot tell any more that a call came through the gate."],
  "tier-added": ["medium", "A tier with a gate of its own."],
  "tier-removed": ["high", "A tier is gone; where no other one takes its requests, they are answered 404."],
  "tier-dissolved": ["medium", "A tier is gone, and all its routes belong to others."],
  "tier-renamed": ["high", "A tier has another name: another gate, secrets to be set anew, counts that begin anew."],
  "host-added": ["high", "All routes of a tier are served on one host more."],
  "host-removed": ["high", "A host is not served any more."],
  "base-changed": ["high", "All routes of a tier are found elsewhere."],
  "entry-changed": ["high", "Requests reach the gate by another way."],
  "header-accepted": ["high", "Services take a client's word in a header that was removed from requests."],
  "header-refused": ["low", "A header is removed from requests that services were sent."],
  "isolation-changed": ["medium", "Routes are served by another Worker."],
  "level-changed": ["medium", "How much depends on a tier: its state, its place in the waves, who approves."],
  "bound-multiplied": ["high", "A gate may use at least ten times as much of something."],
  "bound-raised": ["medium", "A gate may use more of something."],
  "bound-lowered": ["low", "A gate may use less of something."],
  "secret-written": ["high", "A secret is written in a file, where whoever reads the repository has it."],
  "secret-added": ["medium", "A secret that has to be set before the release."],
  "secret-removed": ["low", "A secret that a tier does not read any more."],
  "release-loosened": ["medium", "A worse version could reach users, or reach them sooner."],
  "release-changed": ["low", "How a new version reaches users."],
  "owner-changed": ["medium", "Who answers for a tier, and is asked to review it."],
  "tier-changed": ["low", "Something of a tier that decides nothing about who gets in."],
  "consumer-added": ["medium", "A consumer whose keys are taken."],
  "consumer-removed": ["medium", "A consumer whose keys are refused."],
  "consumer-changed": ["medium", "Keys or labels of a consumer."],
  "environment-added": ["medium", "An environment more."],
  "environment-removed": ["high", "An environment is gone."],
  "environment-changed": ["medium", "What all tiers of an environment share."],
  "operators-changed": ["high", "Others may release, close and approve, or the same with other keys."],
  other: ["medium", "A difference of the plans that no rule here knows."],
} as const satisfies Readonly<Record<string, readonly [Risk, string]>>;

export type ChangeKind = keyof typeof changeKinds;

export const riskOf = (kind: ChangeKind): Risk => changeKinds[kind][0];

/** Negative if `a` is less risky than `b`. */
export const compareRisk = (a: Risk, b: Risk): number => grades.indexOf(a) - grades.indexOf(b);

/** The highest risk. */
export const highestRisk = (all: readonly Risk[]): Risk | undefined => all.toSorted(compareRisk).at(-1);
