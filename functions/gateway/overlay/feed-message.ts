/** Parses and validates the feed's messages, so that nothing of another shape reaches the gate. */

import { maxRevocations, type RevocationEntry } from "../core/ports/revocations.ts";
import { milliseconds, requestsPerWindow, share } from "../core/quantities.ts";
import { type FeedMessage, maxEntries, type OverlayEntry } from "./overlay.ts";

type Fields = Readonly<Record<string, unknown>>;

/**
 * Skips invalid entries, so that older and newer gates keep working.
 * @throws when it is no feed message; the last good one stays valid then
 */
export const parseFeedMessage = (value: unknown): FeedMessage => {
  const { revision, entries, revoked = [] } = fieldsOf(value);
  if (typeof revision !== "number" || !Array.isArray(entries) || !Array.isArray(revoked))
    throw new TypeError("this is not a feed message");
  return {
    revision,
    entries: entries.slice(-maxEntries).filter((it): it is OverlayEntry => passes(isEntry, it)),
    revoked: revoked.slice(-maxRevocations).filter((it): it is RevocationEntry => passes(isRevocation, it)),
  };
};

const isObject = (value: unknown): value is Fields => typeof value === "object" && value !== null;

const fieldsOf = (value: unknown): Fields => (isObject(value) ? value : {});

/** Parsing an invalid quantity throws. */
const passes = (test: (it: Fields) => boolean, value: unknown): boolean => {
  try {
    return test(fieldsOf(value));
  } catch {
    return false;
  }
};

/** Milliseconds since the epoch. Dates beyond the calendar never come, so what is closed stays closed. */
const isDate = (it: unknown): it is number => typeof it === "number" && it >= 0;

const isText = (it: unknown): it is string => typeof it === "string";
const areTexts = (it: unknown): boolean => Array.isArray(it) && it.every(isText);

/** Checks the fields of each kind of entry. */
const checkOfKind: Readonly<Record<OverlayEntry["kind"], (it: Fields) => boolean>> = {
  close: ({ route, closed }) => (route === null || isText(route)) && isObject(closed) && isClosure(closed),
  limit: ({ filter, limit }) => isText(filter) && requestsPerWindow(limit as string).count > 0,
  enforce: ({ filter }) => isText(filter),
  cutover: ({ route, percent }) => isText(route) && share(percent as string) <= 1,
  weights: ({ route, weights }) => isText(route) && areWeights(Object.values(fieldsOf(weights))),
  measure: () => true,
  drain: ({ versions, ends }) => areTexts(versions) && isDate(ends),
  // Gates do not assign users.
  epochs: () => false,
};

const isEntry = (it: Fields): boolean => {
  const { kind, until } = it;
  return isKnownKind(kind) && isDate(until) && checkOfKind[kind](it);
};

/** Whether this gate knows the kind of entry: a newer control has more. */
export const isKnownKind = (kind: unknown): kind is OverlayEntry["kind"] =>
  isText(kind) && Object.hasOwn(checkOfKind, kind);

const isClosure = ({ detail, ...it }: Fields): boolean =>
  (detail === undefined || isText(detail)) &&
  (it["retry-after"] === undefined || milliseconds(it["retry-after"] as string) >= 0);

const maxWeight = 10_000;

const areWeights = (all: readonly unknown[]): boolean =>
  all.every((it) => typeof it === "number" && it >= 0 && it <= maxWeight) && all.some((it) => it !== 0);

const isRevocation = ({ kind, hash, until, before }: Fields): boolean =>
  isText(hash) && isDate(until) && (kind === "token" || (kind === "consumer" && typeof before === "number"));
