/** Reads what a gate is told from outside the isolate: nothing of another shape reaches what serves requests. */

import { maxRevocations, type RevocationEntry } from "../core/ports/revocations.ts";
import { milliseconds, requestsPerWindow, share } from "../core/quantities.ts";
import { type FeedMessage, maxEntries, type OverlayEntry } from "./overlay.ts";

type Fields = Readonly<Record<string, unknown>>;

/**
 * An entry that is not as it should be is left out: a gate that is older or newer than it goes on.
 * @throws where it is nothing that a feed tells; the last good one goes on then
 */
export const parseFeedMessage = (value: unknown): FeedMessage => {
  const { revision, entries, revoked = [] } = fieldsOf(value);
  if (typeof revision !== "number" || !Array.isArray(entries) || !Array.isArray(revoked))
    throw new TypeError("this is nothing that a feed tells");
  return {
    revision,
    entries: entries.slice(-maxEntries).filter((it): it is OverlayEntry => passes(isEntry, it)),
    revoked: revoked.slice(-maxRevocations).filter((it): it is RevocationEntry => passes(isRevocation, it)),
  };
};

const isObject = (value: unknown): value is Fields => typeof value === "object" && value !== null;

const fieldsOf = (value: unknown): Fields => (isObject(value) ? value : {});

/** A quantity that is none throws. */
const passes = (test: (it: Fields) => boolean, value: unknown): boolean => {
  try {
    return test(fieldsOf(value));
  } catch {
    return false;
  }
};

/** Milliseconds since the epoch. An end that no calendar has is one that does not come: what is closed stays closed. */
const isDate = (it: unknown): it is number => typeof it === "number" && it >= 0;

const isText = (it: unknown): it is string => typeof it === "string";
const areTexts = (it: unknown): boolean => Array.isArray(it) && it.every(isText);

/** What each kind of entry has besides. */
const checkOfKind: Readonly<Record<OverlayEntry["kind"], (it: Fields) => boolean>> = {
  close: ({ route, closed }) => (route === null || isText(route)) && isObject(closed) && isClosure(closed),
  limit: ({ filter, limit }) => isText(filter) && requestsPerWindow(limit as string).count > 0,
  enforce: ({ filter }) => isText(filter),
  cutover: ({ route, percent }) => isText(route) && share(percent as string) <= 1,
  weights: ({ route, weights }) => isText(route) && areWeights(Object.values(fieldsOf(weights))),
  drain: ({ versions, ends }) => areTexts(versions) && isDate(ends),
};

const isEntry = (it: Fields): boolean => {
  const { kind, until } = it;
  return (
    isText(kind) && Object.hasOwn(checkOfKind, kind) && isDate(until) && checkOfKind[kind as OverlayEntry["kind"]](it)
  );
};

const isClosure = ({ detail, ...it }: Fields): boolean =>
  (detail === undefined || isText(detail)) &&
  (it["retry-after"] === undefined || milliseconds(it["retry-after"] as string) >= 0);

const maxWeight = 10_000;

const areWeights = (all: readonly unknown[]): boolean =>
  all.every((it) => typeof it === "number" && it >= 0 && it <= maxWeight) && all.some((it) => it !== 0);

const isRevocation = ({ kind, hash, until, before }: Fields): boolean =>
  isText(hash) && isDate(until) && (kind === "token" || (kind === "consumer" && typeof before === "number"));
