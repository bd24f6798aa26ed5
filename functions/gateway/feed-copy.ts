/** Reads the copy of a feed in KV, where other Workers of the account could have written it. */
import { type Entry, mostEntries, type Told } from "./overlay.ts";
import { milliseconds } from "./quantities.ts";
import { mostRevocations, type Revoked } from "./revocations.ts";

type Unread<T> = { readonly [K in keyof T]?: unknown };

/**
 * @returns undefined for what is no copy, whole or in part. One that is sound may still not be the feed's: no entry opens anything,
 * so the worst that it does is to close, to move users among places of the plan, or to leave out what was taken back.
 */
export const copyOf = (value: unknown): Told | undefined => {
  const { revision, entries, revoked = [] } = (value ?? {}) as Unread<Told>;
  if (typeof revision !== "number" || !Array.isArray(entries) || !Array.isArray(revoked)) return undefined;
  if (entries.length > mostEntries || revoked.length > mostRevocations) return undefined;
  return entries.every(isEntry) && revoked.every(isRevoked) ? { revision, entries, revoked } : undefined;
};

const checks: { readonly [K in Entry["kind"]]: (it: Readonly<Record<string, unknown>>) => boolean } = {
  close: ({ route, closed }) => (route === null || typeof route === "string") && isClosed(closed),
  limit: ({ filter, limit }) => typeof filter === "string" && typeof limit === "string",
  enforce: ({ filter }) => typeof filter === "string",
  cutover: ({ route, percent }) => typeof route === "string" && typeof percent === "string",
  weights: ({ route, weights }) =>
    typeof route === "string" && isObject(weights) && Object.values(weights).every(isCount),
  drain: ({ versions, ends }) =>
    Array.isArray(versions) && versions.every((it) => typeof it === "string") && Number.isFinite(ends),
};

const isEntry = (it: unknown): it is Entry =>
  isObject(it) &&
  Number.isFinite(it.until) &&
  Object.hasOwn(checks, String(it.kind)) &&
  checks[it.kind as Entry["kind"]](it);

const isClosed = (it: unknown): boolean =>
  isObject(it) &&
  (it["retry-after"] === undefined || isDuration(it["retry-after"])) &&
  (it.detail === undefined || typeof it.detail === "string");

const isDuration = (it: unknown): boolean => {
  try {
    return typeof it === "string" && milliseconds(it) >= 0;
  } catch {
    return false;
  }
};

const isRevoked = (it: unknown): it is Revoked =>
  isObject(it) &&
  Number.isFinite(it.until) &&
  typeof it.hash === "string" &&
  (it.kind === "token" || (it.kind === "consumer" && Number.isFinite(it.before)));

const isObject = (it: unknown): it is Readonly<Record<string, unknown>> =>
  typeof it === "object" && it !== null && !Array.isArray(it);

const isCount = (it: unknown): boolean => typeof it === "number" && it >= 0;
