/** The texts that both renderers of a comparison share: headline, sections, and steps before the merge. */
import { count } from "../diagnostics/report.ts";
import type { Comparison, ReportedChange, ReportedTier, ReportedWorker } from "./compare.ts";
import { type ChangeKind, changeKinds } from "./core/risks.ts";
import { joinSentences, plainText, quotedList, type Sentence, sentence } from "./core/sentence.ts";
import { formatLocation } from "./diff/grade/change.ts";

export interface DiffSection {
  /** Undefined for shared files. */
  readonly tier: ReportedTier | undefined;
  readonly changes: readonly ReportedChange[];
}

/** Sections by tier, the riskiest first. */
export const diffSections = ({ changes, tiers }: Comparison): DiffSection[] => {
  const groups = Map.groupBy(changes, ({ tier }) => tier);
  return [...groups].map(([name, group]) => ({ tier: tiers.find((it) => it.name === name), changes: group }));
};

/** The summary line. */
export const headline = (comparison: Comparison): string => {
  const { risk, tiers, tierCount, problems } = comparison;
  if (problems.length > 0) return `the manifests are not valid: ${count(problems.length, "problem")}`;
  if (risk === undefined) return "no change";
  if (tiers.length === 0) return `settings that all tiers share change, risk ${risk}`;
  const verb = tiers.length === 1 ? "changes" : "change";
  return `${tiers.length} of ${count(tierCount, "tier")} ${verb}, risk ${risk}; ${describeGates(comparison)}`;
};

/** High-risk changes by kind, with their routes or tiers. */
export const highRisks = ({ changes }: Comparison): Sentence[] => {
  const groups = Map.groupBy(
    changes.filter(({ risk }) => risk === "high"),
    ({ kind }) => kind,
  );
  return [...groups].map(([kind, group]) => {
    const names = group.flatMap(({ tier, routes, location }) => {
      if (routes.length > 0) return routes.map((it) => `${tier}/${it}`);
      return tier ?? location?.file ?? [];
    });
    return [
      changeKinds[kind][1].replace(/\.$/, ""),
      ...(names.length > 0 ? [": ", ...quotedList([...new Set(names)], 8)] : []),
      ...(numericKinds.has(kind) ? describeNumbers(group) : []),
    ];
  });
};

/** Kinds that are shown with their numbers. */
const numericKinds: ReadonlySet<ChangeKind> = new Set(["limit-multiplied", "bound-multiplied"]);

/** More of them are counted. */
const maxNumbers = 3;

const describeNumbers = (group: readonly ReportedChange[]): Sentence => {
  // Many tiers may have the same change from one preset.
  const all = [...new Map(group.map(({ message }) => [plainText(message), message])).values()];
  const more = all.length > maxNumbers ? [`; and ${all.length - maxNumbers} more`] : [];
  return [" – ", ...joinSentences(all.slice(0, maxNumbers)), ...more];
};

/** How many gates get a new version, and how many of them are core. */
export const describeGates = ({ workers }: Comparison): string => {
  const gates = workers.filter(({ kind, what }) => kind === "gate" && what !== "removed");
  const core = gates.filter((it) => it.core).length;
  const group = core > 0 && core < gates.length ? `, ${core} of them core` : "";
  if (gates.length === 0) return "no gate gets a new version";
  const gateNoun = core === gates.length ? "core gate" : "gate";
  return `${count(gates.length, gateNoun)} ${gates.length === 1 ? "gets" : "get"} a new version${group}`;
};

/** The text for a diff without changes, although files differ. */
export const describeUnchanged = ({ files }: Comparison): Sentence => {
  const same: Sentence = ["nothing that runs changes"];
  if (files.length === 0) return same;
  return [...same, "; only the text of these files differs: ", ...quotedList(files)];
};

/** The routes that a change concerns. */
export const describeRoutes = ({ routes }: ReportedChange, tier: ReportedTier | undefined): Sentence => {
  if (routes.length === 0) return [];
  if (tier && routes.length === tier.routes && routes.length > 3) return [`all ${routes.length} routes`];
  return quotedList(routes, 6);
};

/** The environments of a change, if not all. */
export const environmentNote = ({ environments }: { readonly environments: readonly string[] }): Sentence =>
  environments.length === 0 ? [] : [" (in ", ...quotedList(environments), " only)"];

const workerPurposes: Readonly<Record<ReportedWorker["kind"], string>> = {
  gate: "gate",
  front: "the front of all tiers",
  state: "counts and nonces",
  control: "the control plane",
  feed: "overlays",
  actuator: "actuator: deploys and splits versions",
  tail: "tail: exceptions of Workers",
};

/** Describes a Worker: its role, level, owners and whether its release needs approval. */
export const describeWorker = ({ kind, tiers, levels, owners, approved }: ReportedWorker): Sentence => {
  if (kind !== "gate") return [workerPurposes[kind]];
  return [
    `${levels.join(" and ")} gate`,
    ...(tiers.length > 1 ? [" shared by ", ...quotedList(tiers)] : []),
    ...(owners.length > 0 ? [" of ", ...quotedList(owners)] : [", without an owner"]),
    ...(approved ? ["; its release needs a second approver"] : []),
  ];
};

/** Manual steps after the merge. */
export const nextSteps = ({ changes, workers, environments, brokenBefore }: Comparison, code: boolean): Sentence[] => [
  ...changes
    .filter(({ kind }) => kind === "secret-added")
    .map(({ message, tier, environments: group }): Sentence => {
      const secret = message.find((it) => typeof it === "object");
      const name = typeof secret === "object" ? secret.code : "";
      const secretEnvironments = group.length > 0 ? group : environments;
      const line = `npx postern secrets set ${name} --env ${secretEnvironments.includes("production") ? "production" : secretEnvironments[0]}`;
      return ["Set the secret ", ...sentence`${name}`, " of ", ...sentence`${tier ?? ""}`, ": ", ...sentence`${line}`];
    }),
  ...secretsToRevoke(changes),
  ...(workers.some(({ what, kind }) => what === "removed" && kind === "gate")
    ? [
        [
          "Gates that nothing reaches any more are deleted by ",
          ...sentence`${"npx postern deploy --prune"}`,
        ] as Sentence,
      ]
    : []),
  ...(brokenBefore.length > 0
    ? [
        [
          "These manifests were not valid before, so their content is shown as new: ",
          ...quotedList(brokenBefore),
        ] as Sentence,
      ]
    : []),
  ...(code
    ? [
        [
          "The code that Workers are made of differs too, so all Workers get a new version; this page covers manifests only",
        ] as Sentence,
      ]
    : []),
];

const secretsToRevoke = (changes: Comparison["changes"]): Sentence[] => {
  const places = changes.flatMap(({ kind, location }) =>
    kind === "secret-written" && location ? [formatLocation(location)] : [],
  );
  if (places.length === 0) return [];
  const set = sentence`${"npx postern secrets set"}`;
  return [
    [
      "Revoke the secrets written at ",
      ...quotedList(places),
      ": they are in the history now; set new ones with ",
      ...set,
    ],
  ];
};
