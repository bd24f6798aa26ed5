/** `postern overlay`: lists and changes a running tier's overlay. */

import type { FeedMessage, OverlayEntry } from "../../../functions/gateway/overlay/overlay.ts";
import { controlClientFor } from "../../release/control-client.ts";
import { formatTime } from "../../terminal/arguments.ts";
import type { Outcome } from "../../terminal/outcome.ts";
import { table } from "../../terminal/table.ts";
import type { ControlOptions } from "./options.ts";

interface AddOverlayOptions extends ControlOptions {
  readonly for: string;
}

export const list = async (tier: string, options: ControlOptions): Promise<Outcome> =>
  outcomeOf(tier, await controlClientFor(options).call<FeedMessage>("GET", `/v1/tiers/${tier}/overlay`));

/** @param name `wallet` for all of a tier, `wallet/balance` for a route */
export const close = (name: string, options: AddOverlayOptions): Promise<Outcome> => {
  const [tier = "", route = null] = name.split("/");
  return add(tier, { kind: "close", route }, options);
};

export const tighten = (tier: string, filter: string, limit: string, options: AddOverlayOptions): Promise<Outcome> =>
  add(tier, { kind: "limit", filter, limit }, options);

export const enforce = (tier: string, filter: string, options: AddOverlayOptions): Promise<Outcome> =>
  add(tier, { kind: "enforce", filter }, options);

/** @param name `wallet/balance` */
export const cutover = (name: string, percent: string, options: AddOverlayOptions): Promise<Outcome> => {
  const { tier, route } = parseRoute(name);
  return add(tier, { kind: "cutover", route, percent }, options);
};

/** @param texts `accounts=90`, one for each upstream of the route */
export const weights = (name: string, texts: readonly string[], options: AddOverlayOptions): Promise<Outcome> => {
  const { tier, route } = parseRoute(name);
  return add(tier, { kind: "weights", route, weights: Object.fromEntries(texts.map(parseWeight)) }, options);
};

const parseRoute = (name: string): { readonly tier: string; readonly route: string } => {
  const [tier = "", route] = name.split("/");
  if (route === undefined) throw new Error(`name a route with its tier: wallet/balance, not ${name}`);
  return { tier, route };
};

const parseWeight = (text: string): readonly [string, number] => {
  const [, upstream, weight] = /^([^=]+)=(\d{1,5})$/.exec(text) ?? [];
  if (upstream === undefined) throw new Error(`write a weight as accounts=90, not ${text}`);
  return [upstream, Number(weight)];
};

export const remove = async (tier: string, id: string, options: ControlOptions): Promise<Outcome> =>
  outcomeOf(tier, await controlClientFor(options).call<FeedMessage>("DELETE", `/v1/tiers/${tier}/overlay/${id}`));

export const drift = async (options: ControlOptions): Promise<Outcome> => {
  const tiers = await controlClientFor(options).call<
    readonly { readonly tier: string; readonly entries: readonly (OverlayEntry & { readonly says: string })[] }[]
  >("GET", "/v1/drift");
  const rows = tiers.flatMap(({ tier, entries }) => entries.map((it) => [tier, it.id, entryText(it), it.says, it.by]));
  const text = rows.length > 0 ? table(["tier", "entry", "what", "manifest", "by"], rows) : "no overlay differs\n";
  return { exitCode: 0, text, data: tiers };
};

const add = async (tier: string, change: object, options: AddOverlayOptions): Promise<Outcome> => {
  const body = { ...change, for: options.for, reason: options.message ?? "postern overlay" };
  return outcomeOf(tier, await controlClientFor(options).call<FeedMessage>("POST", `/v1/tiers/${tier}/overlay`, body));
};

const outcomeOf = (tier: string, state: FeedMessage): Outcome => {
  const rows = state.entries.map((it) => [it.id, entryText(it), formatTime(it.until), it.by, it.reason]);
  const text =
    rows.length > 0 ? table(["entry", "what", "until (UTC)", "by", "why"], rows) : `${tier} has no overlay entries\n`;
  return { exitCode: 0, text, data: state };
};

const weightsText = (weights: Readonly<Record<string, number>>): string =>
  Object.entries(weights)
    .map(([upstream, weight]) => `${upstream} ${weight}`)
    .join(", ");

const entryText = (it: OverlayEntry): string => {
  if (it.kind === "close") return `close ${it.route ?? "all routes"}`;
  if (it.kind === "cutover") return `cutover ${it.route}: ${it.percent} at the gate`;
  if (it.kind === "weights") return `weights of ${it.route}: ${weightsText(it.weights)}`;
  if (it.kind === "drain")
    return `drain ${it.versions.map((version) => version.slice(0, 8)).join(", ")}: its streams end by ${formatTime(it.ends)}`;
  if (it.kind === "measure") return "measure response bodies";
  if (it.kind === "epochs") return "the epochs of the front";
  return it.kind === "limit" ? `${it.filter}: also ${it.limit}` : `enforce ${it.filter}`;
};
