/** An explained request for a terminal, or a pipe. */
import pc from "picocolors";
import type { CheckedTier } from "../compiler/model/checked.ts";
import { placeOf } from "../review/effective/entries.ts";
import { table } from "../terminal/table.ts";
import { oneLine, oneLined } from "../terminal/terminal.ts";
import { withoutTokens } from "./hidden.ts";
import type { Call, Explained } from "./offline.ts";
import type { Ground } from "./source-of.ts";
import { meaningOf, type Step } from "./steps.ts";
import type { Miss } from "./why-not.ts";

export interface Told {
  readonly explained: Explained;
  readonly steps: readonly Step[];
  /** What the answer's code stands on. */
  readonly ground: Ground | undefined;
  /** Routes that do not take the request, and why. */
  readonly misses: readonly Miss[];
  /** At a running gate, and not here. */
  readonly asked: boolean;
}

export const shown = (request: Request, told: Told): string => {
  const { steps, misses, asked } = told;
  // A tier is read by its own functions, and the rest is text from requests, gates and services.
  const { tier, ...said } = told.explained;
  const explained = { ...oneLined(said), tier };
  const { upstream, unknown } = explained;
  const parts = [
    `${pc.bold(oneLine(`${request.method} ${withoutTokens(request.url)}`))}
${whereOf(explained)}
`,
    steps.length > 0 ? stepTable(steps) : "",
    misses.map(missShown).join("\n"),
    upstream ? callShown("the service is asked", upstream) : "",
    explained.copies.map((it) => callShown(`by ${it.filter} goes a copy:`, it)).join("\n"),
    upstream && !asked ? "" : answered(told),
    unknown.map((line) => `note: ${line}\n`).join(""),
  ];
  return parts.filter(Boolean).join("\n");
};

const callShown = (what: string, { method, url, headers }: Call): string =>
  `${what} ${method} ${url}\n${Object.entries(headers)
    .map(([name, value]) => `  ${name}: ${value}\n`)
    .join("")}`;

const whereOf = ({ tier, route, code }: Explained): string => {
  if (tier && route) return `${tier.manifest.tier}/${route}  ${placeOfRoute(tier, route)}`;
  return tier
    ? `${tier.manifest.tier}, but none of its routes: ${code ?? "answered by the gate itself"}`
    : `no tier: ${code}`;
};

const placeOfRoute = ({ source }: CheckedTier, route: string): string => placeOf(source, ["routes", route, "match"]);

const stepTable = (steps: readonly Step[]): string => {
  const explains = steps.some(({ why }) => why !== "");
  const rows = steps.map(({ filter, verdict, why, ms, at }) => [
    filter,
    verdict,
    ...(explains ? [why] : []),
    ms === null ? "" : `${Math.round(ms * 10) / 10} ms`,
    at,
  ]);
  return table(["filter", "verdict", ...(explains ? ["why"] : []), "time", "manifest"], rows);
};

const missShown = ({ route, at, failed }: Miss): string => {
  if (failed.length === 0) return `not ${route}: a route that says more takes it  ${at}\n`;
  const lines = failed.map(({ condition, says, at }) => [`  ${condition}`, says, at]);
  return `not ${route}\n${table(["", "", ""], lines).replace(/^\s*\n/, "")}`;
};

const answered = ({ explained: { tier, route, status, code, detail }, steps, ground }: Told): string => {
  if (code === undefined) return `the client is answered ${status}\n`;
  const filter = tier?.routes
    .find(({ name }) => name === route)
    ?.chain.find(({ about }) => Object.hasOwn(about.codes, code));
  // Where a filter has said so, it stands there already.
  const why = steps.some((it) => it.why !== "" && it.verdict.endsWith(code))
    ? ""
    : `: ${meaningOf(code, filter, detail)}`;
  return `the client is answered ${status} ${code}${why}\n${ground ? `  ${ground.at}  ${ground.what}\n` : ""}`;
};
