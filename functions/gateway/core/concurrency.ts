/**
 * Bounds how many requests are under way at once, and how many of them are one client's. Per isolate.
 *
 * A request holds a place from its beginning until the response's headers. Where the tier counts from the end of the body,
 * requests whose body is still coming are counted apart, up to the same bound, so that slow uploads take no places from others.
 */

/** One request that is under way. */
export interface ConcurrencySlot {
  readonly limit: ConcurrencyLimit;
  readonly since: number;
  /** Under whose name it is counted; empty where the client is not known. */
  client: string;
  /** Its body is still coming, and the tier counts from the end of bodies. */
  uploading: boolean;
  /** It holds nothing any more. What still runs for it must not be counted, since nobody would give that back. */
  ended: boolean;
}

export interface ConcurrencyLimit {
  readonly max: number;
  /** Of one client. Clients are counted only where this is less than `most`. */
  readonly maxPerClient: number;
  readonly now: () => number;
  readonly serving: Set<ConcurrencySlot>;
  readonly uploading: Set<ConcurrencySlot>;
  /** By client: its places. There are no more entries than places. */
  readonly clients: Map<string, number>;
}

export type ConcurrencyRefusal = "gate-busy" | "client-busy";

/** A request whose end nobody reported is forgotten then, so that a lost one never closes a gate for good. */
const slotExpiryMs = 15 * 60_000;

/** @param share of the places that one client may hold, in (0, 1]; one place at least */
export const concurrencyLimit = (
  max: number,
  share: number,
  { now }: Pick<ConcurrencyLimit, "now">,
): ConcurrencyLimit => ({
  max,
  maxPerClient: Math.max(1, Math.floor(max * share + 1e-9)),
  now,
  serving: new Set(),
  uploading: new Set(),
  clients: new Map(),
});

/**
 * Takes a place.
 * @param client under whose name it is counted; empty where it is not known
 * @param since when the request came, in milliseconds since the epoch
 */
export const acquireSlot = (
  limit: ConcurrencyLimit,
  client: string,
  uploading: boolean,
  since: number = limit.now(),
): ConcurrencySlot | ConcurrencyRefusal => {
  const group = uploading ? limit.uploading : limit.serving;
  if (group.size >= limit.max) releaseExpired(limit, group);
  if (group.size >= limit.max) return "gate-busy";
  const slot: ConcurrencySlot = { limit, since, client: "", uploading, ended: false };
  if (!assignClient(slot, client)) return "client-busy";
  group.add(slot);
  return slot;
};

/**
 * Counts the request as this client's from now on, and as nobody else's.
 * @returns false where the client has its share; the request is then counted as before
 */
export const assignClient = (slot: ConcurrencySlot, client: string): boolean => {
  const { limit: places } = slot;
  if (slot.ended || client === slot.client || places.maxPerClient >= places.max) return true;
  if (client !== "" && slotsOfClient(places, client) >= places.maxPerClient) {
    releaseExpired(places, places.serving);
    releaseExpired(places, places.uploading);
    if (slotsOfClient(places, client) >= places.maxPerClient) return false;
  }
  uncountClient(slot);
  slot.client = client;
  if (client !== "") places.clients.set(client, slotsOfClient(places, client) + 1);
  return true;
};

const slotsOfClient = ({ clients }: ConcurrencyLimit, client: string): number => clients.get(client) ?? 0;

/** Gives back what the client holds by this request. */
const uncountClient = ({ limit: places, client }: ConcurrencySlot): void => {
  if (client === "") return;
  const remaining = slotsOfClient(places, client) - 1;
  if (remaining > 0) places.clients.set(client, remaining);
  else places.clients.delete(client);
};

/**
 * The body is complete, so the request takes its place among those that are served.
 * @param isForwarded whether a service has the request already. It then counts even beyond the bound, since to refuse it would undo nothing.
 * @returns false where there is no place
 */
export const markBodyReceived = (slot: ConcurrencySlot, isForwarded: boolean): boolean => {
  if (!slot.uploading) return true;
  const { limit: places } = slot;
  if (places.serving.size >= places.max) releaseExpired(places, places.serving);
  if (places.serving.size >= places.max && !isForwarded) return false;
  slot.uploading = false;
  // A request that has ended by now holds nothing.
  if (places.uploading.delete(slot)) places.serving.add(slot);
  return true;
};

/** The request's end. A second call does nothing. */
export const releaseSlot = (slot: ConcurrencySlot): void => {
  const { serving, uploading } = slot.limit;
  slot.ended = true;
  if (serving.delete(slot) || uploading.delete(slot)) uncountClient(slot);
};

/** A set keeps the order in which its members came, so the oldest come first; of those whose body took long, perhaps a little later. */
const releaseExpired = (limit: ConcurrencyLimit, group: ReadonlySet<ConcurrencySlot>): void => {
  const expiredBefore = limit.now() - slotExpiryMs;
  for (const slot of group) {
    if (slot.since >= expiredBefore) return;
    releaseSlot(slot);
  }
};
