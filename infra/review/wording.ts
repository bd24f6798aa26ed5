/** What both renderings of a comparison say: its headline, its parts, and what is to be done before it is merged. */
import { count } from "../diagnostics/report.ts";
import type { Comparison, ToldChange, ToldTier, ToldWorker } from "./compare.ts";
import { type ChangeKind, changeKinds } from "./core/risks.ts";
import { joined, list, plain, type Sentence, say } from "./core/sentence.ts";
import { placeOf } from "./diff/grade/change.ts";

export interface Section {
  /** Undefined for what no tier owns. */
  readonly tier: ToldTier | undefined;
  readonly changes: readonly ToldChange[];
}

/** The riskiest tier first; what tiers share comes last of its risk. */
export const sectionsOf = ({ changes, tiers }: Comparison): Section[] => {
  const groups = Map.groupBy(changes, ({ tier }) => tier);
  return [...groups].map(([name, some]) => ({ tier: tiers.find((it) => it.name === name), changes: some }));
};

/** One line for the whole of it. */
export const headline = (comparison: Comparison): string => {
  const { risk, tiers, tierCount, problems } = comparison;
  if (problems.length > 0) return `does not hold: ${count(problems.length, "problem")}`;
  if (risk === undefined) return "no change";
  if (tiers.length === 0) return `what all tiers share changes, risk ${risk}`;
  const verb = tiers.length === 1 ? "changes" : "change";
  return `${tiers.length} of ${count(tierCount, "tier")} ${verb}, risk ${risk}; ${gatesNew(comparison)}`;
};

/** What somebody has to be sure of, kind by kind, and where. */
export const alarms = ({ changes }: Comparison): Sentence[] => {
  const groups = Map.groupBy(
    changes.filter(({ risk }) => risk === "high"),
    ({ kind }) => kind,
  );
  return [...groups].map(([kind, some]) => {
    const names = some.flatMap(({ tier, routes, spot }) => {
      if (routes.length > 0) return routes.map((it) => `${tier}/${it}`);
      return tier ?? spot?.file ?? [];
    });
    return [
      changeKinds[kind][1].replace(/\.$/, ""),
      ...(names.length > 0 ? [": ", ...list([...new Set(names)], 8)] : []),
      ...(byNumbers.has(kind) ? numbersOf(some) : []),
    ];
  });
};

/** Nobody can be sure of these without their numbers. */
const byNumbers: ReadonlySet<ChangeKind> = new Set(["limit-multiplied", "bound-multiplied"]);

/** More of them are counted. */
const mostNumbers = 3;

const numbersOf = (some: readonly ToldChange[]): Sentence => {
  // Many tiers may have it of one preset.
  const all = [...new Map(some.map(({ says }) => [plain(says), says])).values()];
  const more = all.length > mostNumbers ? [`; and ${all.length - mostNumbers} more`] : [];
  return [" – ", ...joined(all.slice(0, mostNumbers)), ...more];
};

/** How many gates are new, and how many of them are of core tiers. */
export const gatesNew = ({ workers }: Comparison): string => {
  const gates = workers.filter(({ kind, what }) => kind === "gate" && what !== "removed");
  const core = gates.filter((it) => it.core).length;
  const some = core > 0 && core < gates.length ? `, ${core} of them core` : "";
  if (gates.length === 0) return "no gate gets a new version";
  const which = core === gates.length ? "core gate" : "gate";
  return `${count(gates.length, which)} ${gates.length === 1 ? "gets" : "get"} a new version${some}`;
};

/** Why there is nothing to tell, although files differ. */
export const unchanged = ({ files }: Comparison): Sentence => {
  const same: Sentence = ["what runs stays what it is"];
  if (files.length === 0) return same;
  return [...same, "; only the text differs of ", ...list(files)];
};

/** Which of its routes a change concerns. */
export const routesOf = ({ routes }: ToldChange, tier: ToldTier | undefined): Sentence => {
  if (routes.length === 0) return [];
  if (tier && routes.length === tier.routes && routes.length > 3) return [`all ${routes.length} routes`];
  return list(routes, 6);
};

/** Where it is so, if not everywhere. */
export const only = ({ environments }: { readonly environments: readonly string[] }): Sentence =>
  environments.length === 0 ? [] : [" (in ", ...list(environments), " only)"];

const purposes: Readonly<Record<ToldWorker["kind"], string>> = {
  gate: "gate",
  front: "all tiers pass through it",
  state: "counts and nonces",
  control: "the control plane",
  feed: "overlays",
  actuator: "splits versions",
  tail: "hears of deaths",
};

/** What a Worker is to its readers: how much depends on it, whose it is, and whom its release waits for. */
export const roleOf = ({ kind, tiers, levels, owners, approved }: ToldWorker): Sentence => {
  if (kind !== "gate") return [purposes[kind]];
  return [
    `${levels.join(" and ")} gate`,
    ...(tiers.length > 1 ? [" shared by ", ...list(tiers)] : []),
    ...(owners.length > 0 ? [" of ", ...list(owners)] : [", nobody answers for it"]),
    ...(approved ? ["; its release waits for a second person"] : []),
  ];
};

/** Steps that a merge does not take by itself. */
export const toDo = ({ changes, workers, environments, brokenBefore }: Comparison, code: boolean): Sentence[] => [
  ...changes
    .filter(({ kind }) => kind === "secret-added")
    .map(({ says, tier, environments: some }): Sentence => {
      const secret = says.find((it) => typeof it === "object");
      const name = typeof secret === "object" ? secret.code : "";
      const where = some.length > 0 ? some : environments;
      const line = `npx postern secrets set ${name} --env ${where.includes("production") ? "production" : where[0]}`;
      return ["Set the secret ", ...say`${name}`, " of ", ...say`${tier ?? ""}`, ": ", ...say`${line}`];
    }),
  ...takenBack(changes),
  ...(workers.some(({ what, kind }) => what === "removed" && kind === "gate")
    ? [["Gates that nothing reaches any more are deleted by ", ...say`${"npx postern deploy --prune"}`] as Sentence]
    : []),
  ...(brokenBefore.length > 0
    ? [["Before, these did not hold, so what is in them seems to be new: ", ...list(brokenBefore)] as Sentence]
    : []),
  ...(code
    ? [
        [
          "The code that Workers are made of differs too, so all of them get a new version; this page is about manifests",
        ] as Sentence,
      ]
    : []),
];

const takenBack = (changes: Comparison["changes"]): Sentence[] => {
  const places = changes.flatMap(({ kind, spot }) => (kind === "secret-written" && spot ? [placeOf(spot)] : []));
  if (places.length === 0) return [];
  const set = say`${"npx postern secrets set"}`;
  return [
    ["Take back what is written at ", ...list(places), ": it is in the history now; a new one is set by ", ...set],
  ];
};
