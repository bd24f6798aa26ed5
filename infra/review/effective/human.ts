/** A pipeline for a terminal, or a pipe: values on the left, and where each comes from on the right. */
import pc from "picocolors";
import { isTerminal, oneLine, widthOf } from "../../terminal/terminal.ts";
import { shown } from "../core/sentence.ts";
import type { Dropped, Effective, EffectiveFilter, EffectiveRoute } from "./effective.ts";
import type { Entry } from "./entries.ts";

interface Line {
  readonly text: string;
  readonly origin: string;
  readonly tone: "plain" | "bold" | "dim";
}

/** @param only the route that was asked for */
export const human = (it: Effective, environment: string, only: string | undefined): string => {
  const name = only === undefined ? it.tier : `${it.tier}/${only}`;
  const parts = [
    ...(only === undefined ? wholeTier(it) : it.routes.flatMap(oneRoute)),
    ...it.upstreams.map(({ name, at, entries }) => [title(`upstream ${name}`, at), ...linesOf(entries, 1)]),
    [title(`the tier ${it.tier}`, it.at), ...linesOf(it.entries, 1)],
  ];
  return `${pc.bold(oneLine(`${name} as it runs in ${environment}`))}\n\n${aligned(parts)}`;
};

const oneRoute = (route: EffectiveRoute): Line[][] => [
  [title(`${route.takes}`, route.at), ...linesOf(route.entries, 1), note(`served by ${route.gate}`)],
  filtersOf("filters, in this order", route.filters),
  droppedOf(route.dropped),
];

const wholeTier = ({ shared, dropped, routes }: Effective): Line[][] => [
  filtersOf("filters of every route, in this order", shared),
  droppedOf(dropped),
  ...routes.map((it) => {
    const own = it.filters.filter(({ id }) => it.own.includes(id));
    const order = it.filters.map(({ id }) => id).join(" → ") || "none";
    return [
      title(`${it.name}: ${it.takes}`, it.at),
      ...linesOf(it.entries, 1),
      note(`filters: ${order}`),
      ...own.flatMap((filter) => filterLines(filter, 2)),
      ...droppedOf(it.dropped).slice(1),
    ];
  }),
];

const title = (text: string, origin: string): Line => ({ text, origin, tone: "bold" });
const note = (text: string, origin = ""): Line => ({ text: `  ${text}`, origin, tone: "plain" });

const filtersOf = (heading: string, filters: readonly EffectiveFilter[]): Line[] =>
  filters.length === 0 ? [] : [title(heading, ""), ...filters.flatMap((it) => filterLines(it, 1))];

const filterLines = ({ id, use, at, entries, unchecked }: EffectiveFilter, depth: number): Line[] => [
  { text: `${indent(depth)}${id}${id === use || id.endsWith(`/${use}`) ? "" : ` (${use})`}`, origin: at, tone: "bold" },
  ...linesOf(entries, depth + 1),
  ...unchecked.map((it): Line => ({ text: `${indent(depth + 1)}! ${it}`, origin: "", tone: "plain" })),
];

const droppedOf = (dropped: readonly Dropped[]): Line[] =>
  dropped.length === 0
    ? []
    : [title("dropped", ""), ...dropped.map(({ id, at, by }) => note(`without ${id}`, `${by}  it stands at ${at}`))];

const indent = (depth: number): string => "  ".repeat(depth);

/** Keys that several values share stand above them, once. */
const linesOf = (entries: readonly Entry[], depth: number): Line[] => {
  let above: readonly string[] = [];
  return entries.flatMap((entry) => {
    const holders = entry.path.slice(0, -1);
    const same = holders.findIndex((step, index) => step !== above[index]);
    const known = same < 0 ? Math.min(holders.length, above.length) : same;
    above = holders;
    const heads = holders.slice(known).map(
      (step, index): Line => ({
        text: `${indent(depth + known + index)}${keyOf(step)}`,
        origin: "",
        tone: entry.isDefault ? "dim" : "plain",
      }),
    );
    return [...heads, lineOf(entry, depth + holders.length)];
  });
};

/** An item of a list has a number, which says nothing. */
const keyOf = (step: string): string => (/^\d+$/.test(step) ? "-" : `${step}:`);

const lineOf = ({ path, value, at, isDefault, variables }: Entry, depth: number): Line => ({
  text: `${indent(depth)}${keyOf(path.at(-1) ?? "")} ${shown(value)}`,
  origin: [isDefault ? `default, ${at}` : at, ...variables.map((it) => `\${${it.name}} is ${it.at}`)].join("  "),
  tone: isDefault ? "dim" : "plain",
});

/** A line that is longer pushes only its own place to the right. */
const widest = 66;

const aligned = (parts: readonly (readonly Line[])[]): string => {
  const texts = parts.flat().map(({ text }) => oneLine(text).length);
  const width = Math.max(...texts.filter((it) => it <= widest));
  return parts
    .filter((it) => it.length > 0)
    .map((lines) => lines.map((it) => `${row(it, width)}\n`).join(""))
    .join("\n");
};

const tones = { plain: (text: string) => text, bold: pc.bold, dim: pc.dim } as const;

/** In a terminal, what does not fit beside stands below; in a pipe a value and its origin stay on one line, for who searches. */
const row = ({ text, origin, tone }: Line, width: number): string => {
  const left = oneLine(text);
  if (origin === "") return tones[tone](left);
  const right = oneLine(origin);
  const beside = Math.max(width, left.length) + 2 + right.length;
  if (isTerminal("stdout") && beside > widthOf("stdout")) {
    const indented = " ".repeat(left.length - left.trimStart().length + 4);
    return `${tones[tone](left)}\n${indented}${pc.dim(right)}`;
  }
  return `${tones[tone](left)}${" ".repeat(Math.max(0, width - left.length))}  ${pc.dim(right)}`;
};
