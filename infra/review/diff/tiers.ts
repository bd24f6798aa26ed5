/** Compares two versions of one tier: its own settings, not those of its routes. */
import type { ChangeKind } from "../core/risks.ts";
import { quotedList, type Sentence, sentence } from "../core/sentence.ts";
import type { ChangeDetail } from "./chains.ts";
import { type ChangeLocation, changeLocation } from "./grade/change.ts";
import { listDifferences } from "./grade/differences.ts";
import { tierScales } from "./grade/parts.ts";
import type { TierModel } from "./picture/model.ts";

export const compareTiers = (before: TierModel, after: TierModel): ChangeDetail[] => [
  ...compareAddress(before, after),
  ...compareStanding(before, after),
  ...compareLimits(before, after),
  ...compareRelease(before, after),
  ...compareSecrets(before, after),
];

/** The location of a key, or of `tier` if the key is not set. */
const location = ({ checked: { source } }: TierModel, key: string): ChangeLocation =>
  changeLocation(source, [], Object.hasOwn(Object(source.value), key) ? key : "tier");

/** Compares hosts, base, accepted headers, entry and isolation. */
const compareAddress = (before: TierModel, after: TierModel): ChangeDetail[] => {
  const [a, b] = [before.checked.manifest, after.checked.manifest];
  const added = b.hosts.filter((it) => !a.hosts.includes(it));
  const removed = a.hosts.filter((it) => !b.hosts.includes(it));
  const toDetail = (kind: ChangeKind, key: string, message: Sentence): ChangeDetail => ({
    kind,
    message,
    location: location(after, key),
  });
  return [
    ...(added.length > 0
      ? [toDetail("host-added", "hosts", ["all its routes are also served on ", ...quotedList(added)])]
      : []),
    ...(removed.length > 0
      ? [toDetail("host-removed", "hosts", ["it is no longer served on ", ...quotedList(removed)])]
      : []),
    ...(added.length + removed.length === 0 && doesHostOrderMatter(before, after)
      ? [toDetail("tier-changed", "hosts", sentence`smoke tests call ${after.facts.host}, now the first of its hosts`)]
      : []),
    ...(a.base.path === b.base.path
      ? []
      : [toDetail("base-changed", "base", sentence`its base is ${b.base.path}; before: ${a.base.path}`)]),
    ...(a.base.strip === b.base.strip
      ? []
      : [
          toDetail("base-strip-changed", "base", [
            `services receive paths ${b.base.strip ? "without" : "with"} the base, `,
            ...sentence`${(b.base.strip ? b : a).base.path}`,
            ", except on routes with a `path` of their own",
          ]),
        ]),
    ...compareAcceptedHeaders(a["accept-headers"], b["accept-headers"], (kind, message) =>
      toDetail(kind, "accept-headers", message),
    ),
    ...(a.entry === b.entry ? [] : [toDetail("entry-changed", "entry", entryTexts[b.entry])]),
    ...(a.isolation === b.isolation ? [] : [toDetail("isolation-changed", "isolation", isolationTexts[b.isolation])]),
  ];
};

const compareAcceptedHeaders = (
  before: readonly string[],
  after: readonly string[],
  toDetail: (kind: ChangeKind, message: Sentence) => ChangeDetail,
): ChangeDetail[] => {
  const added = after.filter((it) => !before.includes(it));
  const removed = before.filter((it) => !after.includes(it));
  return [
    ...(added.length > 0
      ? [toDetail("header-accepted", ["its services receive ", ...quotedList(added), " as clients set it"])]
      : []),
    ...(removed.length > 0
      ? [toDetail("header-refused", ["its services no longer receive ", ...quotedList(removed), " from clients"])]
      : []),
  ];
};

/** Whether the order of hosts matters: smoke tests use the first one, and zone routes follow it. */
const doesHostOrderMatter = (before: TierModel, after: TierModel): boolean => {
  const [a, b] = [before.checked.manifest, after.checked.manifest];
  return before.facts.host !== after.facts.host || (b.entry === "zone" && a.hosts.join() !== b.hosts.join());
};

const entryTexts: Readonly<Record<"front" | "zone", Sentence>> = {
  zone: ["requests come straight from the zone's route: no front removes spoofable headers or sets the gray key"],
  front: ["requests come through the front, no longer straight from the zone's route"],
};

const isolationTexts: Readonly<Record<"tier" | "shared", Sentence>> = {
  shared: ["it now shares the gate of small tiers: memory, crashes and versions are common to all of them"],
  tier: ["it now has its own gate instead of a shared one"],
};

/** Compares level, owner, labels and access log. */
const compareStanding = (before: TierModel, after: TierModel): ChangeDetail[] => {
  const [a, b] = [before.facts, after.facts];
  const nobody = "nobody";
  return [
    ...(a.level === b.level
      ? []
      : [
          {
            kind: "level-changed",
            message: describeLevel(a.level, b.level),
            location: location(after, "level"),
          } as const,
        ]),
    ...(a.owner === b.owner
      ? []
      : [
          {
            kind: "owner-changed",
            message: sentence`${b.owner ?? nobody} is the owner; before: ${a.owner ?? nobody}`,
            location: location(after, "owner"),
          } as const,
        ]),
    ...listDifferences(a.labels, b.labels).map(
      ({ message }) =>
        ({ kind: "tier-changed", message: ["label: ", ...message], location: location(after, "labels") }) as const,
    ),
    ...listDifferences(before.plan.log, after.plan.log).map(
      ({ message }) =>
        ({ kind: "tier-changed", message: ["access log: ", ...message], location: location(after, "log") }) as const,
    ),
  ];
};

const describeLevel = (before: string, after: string): Sentence => {
  const core = [before, after].includes("core");
  const stateNote = core ? ["; its counters move to other state and are reset"] : [];
  return [...sentence`its level is ${after}; before: ${before}`, ...stateNote];
};

const compareLimits = (before: TierModel, after: TierModel): ChangeDetail[] => {
  const bounds = ({ plan, checked: { manifest } }: TierModel) => ({ ...manifest.limits, ...plan.limits });
  const changeKindOf = {
    multiplied: "bound-multiplied",
    weaker: "bound-raised",
    stronger: "bound-lowered",
    other: "bound-raised",
  } as const;
  return listDifferences(bounds(before), bounds(after), tierScales.limits).map(({ verdict, message }) => ({
    kind: changeKindOf[verdict],
    message: ["the gate's limits: ", ...message],
    location: location(after, "limits"),
  }));
};

const compareRelease = (before: TierModel, after: TierModel): ChangeDetail[] =>
  listDifferences({ ...before.facts.release }, { ...after.facts.release }, tierScales.release).map(
    ({ verdict, message }) => ({
      kind: verdict === "stronger" ? "release-changed" : "release-loosened",
      message: ["its release: ", ...message],
      location: location(after, "release"),
    }),
  );

const compareSecrets = (before: TierModel, after: TierModel): ChangeDetail[] => [
  ...after.secrets
    .filter((it) => !before.secrets.includes(it))
    .map(
      (it): ChangeDetail => ({
        kind: "secret-added",
        message: sentence`it reads the secret ${it}`,
        location: location(after, "tier"),
      }),
    ),
  ...before.secrets
    .filter((it) => !after.secrets.includes(it))
    .map(
      (it): ChangeDetail => ({
        kind: "secret-removed",
        message: sentence`it no longer reads the secret ${it}`,
        location: location(after, "tier"),
      }),
    ),
];
