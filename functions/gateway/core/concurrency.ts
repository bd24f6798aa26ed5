/**
 * Limits concurrent requests, in total and per client. Per isolate.
 *
 * A request holds a slot until the response headers. With `concurrency-from: body`, requests whose body is still
 * arriving are counted separately, up to the same limit, so that slow uploads take no slots from others.
 */

/** The slot of one request. */
export interface ConcurrencySlot {
  readonly limit: ConcurrencyLimit;
  readonly since: number;
  /** The client that the slot is counted for; empty when unknown. */
  client: string;
  /** The body is still arriving, and the tier counts from the end of the body. */
  uploading: boolean;
  /** The slot is released. Later calls for this request must not count it again, since nothing would release it. */
  ended: boolean;
}

export interface ConcurrencyLimit {
  readonly max: number;
  /** Per client. Clients are counted only if this is less than `max`. */
  readonly maxPerClient: number;
  readonly now: () => number;
  readonly serving: Set<ConcurrencySlot>;
  readonly uploading: Set<ConcurrencySlot>;
  /** Slots by client. Bounded by the number of slots. */
  readonly clients: Map<string, number>;
}

export type ConcurrencyRefusal = "gate-busy" | "client-busy";

/** A slot that was never released expires after this time, so that lost requests cannot block a gate. */
const slotExpiryMs = 15 * 60_000;

/** @param share of the slots that one client may hold, in (0, 1]; at least one slot */
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
 * Acquires a slot.
 * @param client that the slot is counted for; empty when unknown
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
 * Assigns the slot to a client instead of its previous one.
 * @returns false when the client has reached its share; the slot then stays with the previous client
 */
export const assignClient = (slot: ConcurrencySlot, client: string): boolean => {
  const { limit } = slot;
  if (slot.ended || client === slot.client || limit.maxPerClient >= limit.max) return true;
  if (client !== "" && slotsOfClient(limit, client) >= limit.maxPerClient) {
    releaseExpired(limit, limit.serving);
    releaseExpired(limit, limit.uploading);
    if (slotsOfClient(limit, client) >= limit.maxPerClient) return false;
  }
  uncountClient(slot);
  slot.client = client;
  if (client !== "") limit.clients.set(client, slotsOfClient(limit, client) + 1);
  return true;
};

const slotsOfClient = ({ clients }: ConcurrencyLimit, client: string): number => clients.get(client) ?? 0;

/** Releases the client's part of the slot. */
const uncountClient = ({ limit, client }: ConcurrencySlot): void => {
  if (client === "") return;
  const remaining = slotsOfClient(limit, client) - 1;
  if (remaining > 0) limit.clients.set(client, remaining);
  else limit.clients.delete(client);
};

/**
 * Moves a slot from uploading to serving when the body is complete.
 * @param isForwarded whether the service has the request already. It is then counted even beyond the limit, since
 * refusing it would undo nothing.
 * @returns false when no slot is free
 */
export const markBodyReceived = (slot: ConcurrencySlot, isForwarded: boolean): boolean => {
  if (!slot.uploading) return true;
  const { limit } = slot;
  if (limit.serving.size >= limit.max) releaseExpired(limit, limit.serving);
  if (limit.serving.size >= limit.max && !isForwarded) return false;
  slot.uploading = false;
  // A released slot is in neither set.
  if (limit.uploading.delete(slot)) limit.serving.add(slot);
  return true;
};

/** Releases a slot. Idempotent. */
export const releaseSlot = (slot: ConcurrencySlot): void => {
  const { serving, uploading } = slot.limit;
  slot.ended = true;
  if (serving.delete(slot) || uploading.delete(slot)) uncountClient(slot);
};

/** Sets keep insertion order, so the oldest come first, or nearly so when bodies took long. */
const releaseExpired = (limit: ConcurrencyLimit, group: ReadonlySet<ConcurrencySlot>): void => {
  const expiredBefore = limit.now() - slotExpiryMs;
  for (const slot of group) {
    if (slot.since >= expiredBefore) return;
    releaseSlot(slot);
  }
};
