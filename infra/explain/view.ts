/** Renders an explained request as text. */
import pc from "picocolors";
import type { CheckedTier } from "../compiler/model/checked.ts";
import { fileAndLine } from "../review/effective/entries.ts";
import { table } from "../terminal/table.ts";
import { toOneLine, toOneLineValues } from "../terminal/terminal.ts";
import { maskTokens } from "./hidden.ts";
import type { Call, Explained } from "./offline.ts";
import type { PolicySource } from "./source-of.ts";
import { describeCode, type Step } from "./steps.ts";
import type { RouteMismatch } from "./why-not.ts";

export interface ExplainView {
  readonly explained: Explained;
  readonly steps: readonly Step[];
  /** The manifest line that causes the response's code. */
  readonly source: PolicySource | undefined;
  /** Routes that do not match, and why. */
  readonly mismatches: readonly RouteMismatch[];
  /** Whether a running gate answered, instead of the offline pipeline. */
  readonly isRemote: boolean;
}

export const renderExplanation = (request: Request, view: ExplainView): string => {
  const { steps, mismatches, isRemote } = view;
  // Everything but the tier is untrusted text, so it is reduced to single lines.
  const { tier, ...explainedText } = view.explained;
  const explained = { ...toOneLineValues(explainedText), tier };
  const { upstream, unknown } = explained;
  const parts = [
    `${pc.bold(toOneLine(`${request.method} ${maskTokens(request.url)}`))}
${renderRoute(explained)}
`,
    steps.length > 0 ? renderSteps(steps) : "",
    mismatches.map(renderMismatch).join("\n"),
    upstream ? renderCall("the service is called with", upstream) : "",
    explained.copies.map((it) => renderCall(`${it.filter} sends a copy:`, it)).join("\n"),
    upstream && !isRemote ? "" : renderResponse(view),
    unknown.map((line) => `note: ${line}\n`).join(""),
  ];
  return parts.filter(Boolean).join("\n");
};

const renderCall = (what: string, { method, url, headers }: Call): string =>
  `${what} ${method} ${url}\n${Object.entries(headers)
    .map(([name, value]) => `  ${name}: ${value}\n`)
    .join("")}`;

const renderRoute = ({ tier, route, code }: Explained): string => {
  if (tier && route) return `${tier.manifest.tier}/${route}  ${routePosition(tier, route)}`;
  return tier
    ? `${tier.manifest.tier}, but none of its routes: ${code ?? "answered by the gate itself"}`
    : `no tier: ${code}`;
};

const routePosition = ({ source }: CheckedTier, route: string): string =>
  fileAndLine(source, ["routes", route, "match"]);

const renderSteps = (steps: readonly Step[]): string => {
  const hasReasons = steps.some(({ why }) => why !== "");
  const rows = steps.map(({ filter, verdict, why, ms, at }) => [
    filter,
    verdict,
    ...(hasReasons ? [why] : []),
    ms === null ? "" : `${Math.round(ms * 10) / 10} ms`,
    at,
  ]);
  return table(["filter", "verdict", ...(hasReasons ? ["why"] : []), "time", "manifest"], rows);
};

const renderMismatch = ({ route, at, failed }: RouteMismatch): string => {
  if (failed.length === 0) return `not ${route}: a more specific route takes it  ${at}\n`;
  const lines = failed.map(({ condition, says, at }) => [`  ${condition}`, says, at]);
  return `not ${route}\n${table(["", "", ""], lines).replace(/^\s*\n/, "")}`;
};

const renderResponse = ({ explained: { tier, route, status, code, detail }, steps, source }: ExplainView): string => {
  if (code === undefined) return `the client is answered ${status}\n`;
  const filter = tier?.routes
    .find(({ name }) => name === route)
    ?.chain.find(({ spec }) => Object.hasOwn(spec.codes, code));
  // The step table already has the reason.
  const why = steps.some((it) => it.why !== "" && it.verdict.endsWith(code))
    ? ""
    : `: ${describeCode(code, filter, detail)}`;
  return `the client is answered ${status} ${code}${why}\n${source ? `  ${source.at}  ${source.what}\n` : ""}`;
};
