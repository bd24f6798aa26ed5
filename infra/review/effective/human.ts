/** Renders an effective pipeline as text: values on the left, their origins on the right. */
import pc from "picocolors";
import { isTerminal, toOneLine, widthOf } from "../../terminal/terminal.ts";
import { formatValue } from "../core/sentence.ts";
import type { DroppedFilter, Effective, EffectiveFilter, EffectiveRoute } from "./effective.ts";
import type { EffectiveValue } from "./entries.ts";

interface Line {
  readonly text: string;
  readonly origin: string;
  readonly tone: "plain" | "bold" | "dim";
}

/** @param onlyRoute renders only this route */
export const renderEffective = (it: Effective, environment: string, onlyRoute: string | undefined): string => {
  const name = onlyRoute === undefined ? it.tier : `${it.tier}/${onlyRoute}`;
  const parts = [
    ...(onlyRoute === undefined ? renderTier(it) : it.routes.flatMap(renderRoute)),
    ...it.upstreams.map(({ name, at, entries }) => [titleLine(`upstream ${name}`, at), ...renderValues(entries, 1)]),
    [titleLine(`the tier ${it.tier}`, it.at), ...renderValues(it.entries, 1)],
  ];
  return `${pc.bold(toOneLine(`${name} as it runs in ${environment}`))}\n\n${alignLines(parts)}`;
};

const renderRoute = (route: EffectiveRoute): Line[][] => [
  [titleLine(`${route.takes}`, route.at), ...renderValues(route.entries, 1), noteLine(`served by ${route.gate}`)],
  renderFilters("filters, in this order", route.filters),
  renderDropped(route.dropped),
];

const renderTier = ({ shared, dropped, routes }: Effective): Line[][] => [
  renderFilters("filters of every route, in this order", shared),
  renderDropped(dropped),
  ...routes.map((it) => {
    const ownFilters = it.filters.filter(({ id }) => it.own.includes(id));
    const order = it.filters.map(({ id }) => id).join(" → ") || "none";
    return [
      titleLine(`${it.name}: ${it.takes}`, it.at),
      ...renderValues(it.entries, 1),
      noteLine(`filters: ${order}`),
      ...ownFilters.flatMap((filter) => renderFilter(filter, 2)),
      ...renderDropped(it.dropped).slice(1),
    ];
  }),
];

const titleLine = (text: string, origin: string): Line => ({ text, origin, tone: "bold" });
const noteLine = (text: string, origin = ""): Line => ({ text: `  ${text}`, origin, tone: "plain" });

const renderFilters = (heading: string, filters: readonly EffectiveFilter[]): Line[] =>
  filters.length === 0 ? [] : [titleLine(heading, ""), ...filters.flatMap((it) => renderFilter(it, 1))];

const renderFilter = ({ id, use, at, entries, unchecked }: EffectiveFilter, depth: number): Line[] => [
  { text: `${indent(depth)}${id}${id === use || id.endsWith(`/${use}`) ? "" : ` (${use})`}`, origin: at, tone: "bold" },
  ...renderValues(entries, depth + 1),
  ...unchecked.map((it): Line => ({ text: `${indent(depth + 1)}! ${it}`, origin: "", tone: "plain" })),
];

const renderDropped = (dropped: readonly DroppedFilter[]): Line[] =>
  dropped.length === 0
    ? []
    : [
        titleLine("dropped", ""),
        ...dropped.map(({ id, at, by }) => noteLine(`without ${id}`, `${by}  it stands at ${at}`)),
      ];

const indent = (depth: number): string => "  ".repeat(depth);

/** Renders values; common parent keys are headings. */
const renderValues = (entries: readonly EffectiveValue[], depth: number): Line[] => {
  let previousKeys: readonly string[] = [];
  return entries.flatMap((entry) => {
    const parentKeys = entry.path.slice(0, -1);
    const same = parentKeys.findIndex((step, index) => step !== previousKeys[index]);
    const sharedCount = same < 0 ? Math.min(parentKeys.length, previousKeys.length) : same;
    previousKeys = parentKeys;
    const headings = parentKeys.slice(sharedCount).map(
      (step, index): Line => ({
        text: `${indent(depth + sharedCount + index)}${formatKey(step)}`,
        origin: "",
        tone: entry.isDefault ? "dim" : "plain",
      }),
    );
    return [...headings, renderValue(entry, depth + parentKeys.length)];
  });
};

/** Formats a key; list items are dashes. */
const formatKey = (step: string): string => (/^\d+$/.test(step) ? "-" : `${step}:`);

const renderValue = ({ path, value, at, isDefault, variables }: EffectiveValue, depth: number): Line => ({
  text: `${indent(depth)}${formatKey(path.at(-1) ?? "")} ${formatValue(value)}`,
  origin: [isDefault ? `default, ${at}` : at, ...variables.map((it) => `\${${it.name}} is ${it.at}`)].join("  "),
  tone: isDefault ? "dim" : "plain",
});

/** Alignment column; a longer line only shifts its own origin. */
const maxWidth = 66;

const alignLines = (parts: readonly (readonly Line[])[]): string => {
  const texts = parts.flat().map(({ text }) => toOneLine(text).length);
  const width = Math.max(...texts.filter((it) => it <= maxWidth));
  return parts
    .filter((it) => it.length > 0)
    .map((lines) => lines.map((it) => `${renderLine(it, width)}\n`).join(""))
    .join("\n");
};

const toneColors = { plain: (text: string) => text, bold: pc.bold, dim: pc.dim } as const;

/** In a terminal, an origin that does not fit beside its value is below it; in a pipe both are on one line, for searches. */
const renderLine = ({ text, origin, tone }: Line, width: number): string => {
  const left = toOneLine(text);
  if (origin === "") return toneColors[tone](left);
  const right = toOneLine(origin);
  const beside = Math.max(width, left.length) + 2 + right.length;
  if (isTerminal("stdout") && beside > widthOf("stdout")) {
    const indented = " ".repeat(left.length - left.trimStart().length + 4);
    return `${toneColors[tone](left)}\n${indented}${pc.dim(right)}`;
  }
  return `${toneColors[tone](left)}${" ".repeat(Math.max(0, width - left.length))}  ${pc.dim(right)}`;
};
