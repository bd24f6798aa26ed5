/** Two tiers that are the same one: what is their own, and not of one route. */
import type { ChangeKind } from "../core/risks.ts";
import { list, type Sentence, say } from "../core/sentence.ts";
import type { Found } from "./chains.ts";
import { type Spot, spotOf } from "./grade/change.ts";
import { differences } from "./grade/differences.ts";
import { tierScales } from "./grade/parts.ts";
import type { TierPicture } from "./picture/model.ts";

export const tiersDiffer = (before: TierPicture, after: TierPicture): Found[] => [
  ...placeDiffers(before, after),
  ...standingDiffers(before, after),
  ...boundsDiffer(before, after),
  ...releaseDiffers(before, after),
  ...secretsDiffer(before, after),
];

/** Where a key is written; one that is not has its default, and is the tier's. */
const spot = ({ checked: { source } }: TierPicture, key: string): Spot =>
  spotOf(source, [], Object.hasOwn(Object(source.value), key) ? key : "tier");

/** Where requests come from. */
const placeDiffers = (before: TierPicture, after: TierPicture): Found[] => {
  const [a, b] = [before.checked.manifest, after.checked.manifest];
  const added = b.hosts.filter((it) => !a.hosts.includes(it));
  const removed = a.hosts.filter((it) => !b.hosts.includes(it));
  const found = (kind: ChangeKind, key: string, says: Sentence): Found => ({ kind, says, spot: spot(after, key) });
  return [
    ...(added.length > 0
      ? [found("host-added", "hosts", ["all its routes are served on ", ...list(added), " too"])]
      : []),
    ...(removed.length > 0
      ? [found("host-removed", "hosts", ["nothing is served on ", ...list(removed), " any more"])]
      : []),
    ...(added.length + removed.length === 0 && orderMatters(before, after)
      ? [found("tier-changed", "hosts", say`smoke tests ask ${after.facts.host}, the first of its hosts now`)]
      : []),
    ...(a.base === b.base
      ? []
      : [found("base-changed", "base", say`all its routes are found under ${b.base}, and were under ${a.base}`)]),
    ...headersDiffer(a["accept-headers"], b["accept-headers"], (kind, says) => found(kind, "accept-headers", says)),
    ...(a.entry === b.entry ? [] : [found("entry-changed", "entry", entries[b.entry])]),
    ...(a.isolation === b.isolation ? [] : [found("isolation-changed", "isolation", isolations[b.isolation])]),
  ];
};

const headersDiffer = (
  before: readonly string[],
  after: readonly string[],
  found: (kind: ChangeKind, says: Sentence) => Found,
): Found[] => {
  const added = after.filter((it) => !before.includes(it));
  const removed = before.filter((it) => !after.includes(it));
  return [
    ...(added.length > 0
      ? [found("header-accepted", ["its services are sent ", ...list(added), " as clients write it"])]
      : []),
    ...(removed.length > 0
      ? [found("header-refused", ["its services are not sent ", ...list(removed), " of clients any more"])]
      : []),
  ];
};

/** Releases are tried on the first host; and the routes of a zone stand in this order. */
const orderMatters = (before: TierPicture, after: TierPicture): boolean => {
  const [a, b] = [before.checked.manifest, after.checked.manifest];
  return before.facts.host !== after.facts.host || (b.entry === "zone" && a.hosts.join() !== b.hosts.join());
};

const entries: Readonly<Record<"front" | "zone", Sentence>> = {
  zone: ["requests come straight from the zone's route: no front cleans their headers or sets the gray key"],
  front: ["requests come by the front, and came straight from the zone's route"],
};

const isolations: Readonly<Record<"tier" | "shared", Sentence>> = {
  shared: ["it shares the gate of small tiers: memory, a crash and a version are common to all of them"],
  tier: ["it has a gate of its own, and shared one"],
};

/** How it stands among the others, and who answers for it. */
const standingDiffers = (before: TierPicture, after: TierPicture): Found[] => {
  const [a, b] = [before.facts, after.facts];
  const none = "nobody";
  return [
    ...(a.level === b.level
      ? []
      : [{ kind: "level-changed", says: levelSays(a.level, b.level), spot: spot(after, "level") } as const]),
    ...(a.owner === b.owner
      ? []
      : [
          {
            kind: "owner-changed",
            says: say`${b.owner ?? none} answers for it, and ${a.owner ?? none} did`,
            spot: spot(after, "owner"),
          } as const,
        ]),
    ...differences(a.labels, b.labels).map(
      ({ says }) => ({ kind: "tier-changed", says: ["label: ", ...says], spot: spot(after, "labels") }) as const,
    ),
    ...differences(before.plan.log, after.plan.log).map(
      ({ says }) => ({ kind: "tier-changed", says: ["access log: ", ...says], spot: spot(after, "log") }) as const,
    ),
  ];
};

const levelSays = (before: string, after: string): Sentence => {
  const core = [before, after].includes("core");
  const state = core ? ["; its counts move to other state and begin anew"] : [];
  return [...say`its level is ${after}, and was ${before}`, ...state];
};

const boundsDiffer = (before: TierPicture, after: TierPicture): Found[] => {
  const bounds = ({ plan, checked: { manifest } }: TierPicture) => ({ ...manifest.limits, ...plan.limits });
  const kinds = {
    manifold: "bound-multiplied",
    weaker: "bound-raised",
    stronger: "bound-lowered",
    other: "bound-raised",
  } as const;
  return differences(bounds(before), bounds(after), tierScales.limits).map(({ verdict, says }) => ({
    kind: kinds[verdict],
    says: ["the gate's limits: ", ...says],
    spot: spot(after, "limits"),
  }));
};

const releaseDiffers = (before: TierPicture, after: TierPicture): Found[] =>
  differences({ ...before.facts.release }, { ...after.facts.release }, tierScales.release).map(({ verdict, says }) => ({
    kind: verdict === "stronger" ? "release-changed" : "release-loosened",
    says: ["its release: ", ...says],
    spot: spot(after, "release"),
  }));

const secretsDiffer = (before: TierPicture, after: TierPicture): Found[] => [
  ...after.secrets
    .filter((it) => !before.secrets.includes(it))
    .map((it): Found => ({ kind: "secret-added", says: say`it reads the secret ${it}`, spot: spot(after, "tier") })),
  ...before.secrets
    .filter((it) => !after.secrets.includes(it))
    .map(
      (it): Found => ({
        kind: "secret-removed",
        says: say`it does not read the secret ${it} any more`,
        spot: spot(after, "tier"),
      }),
    ),
];
