/**
 * Bounds how many requests are under way at once, and how many of them are one client's. Per isolate.
 *
 * A request holds a place from its beginning until the response's headers. Where the tier counts from the end of the body,
 * requests whose body is still coming are counted apart, up to the same bound, so that slow uploads take no places from others.
 */

/** One request that is under way. */
export interface Place {
  readonly places: Places;
  readonly since: number;
  /** Under whose name it is counted; empty where the client is not known. */
  client: string;
  /** Its body is still coming, and the tier counts from the end of bodies. */
  uploading: boolean;
  /** It holds nothing any more. What still runs for it must not be counted, since nobody would give that back. */
  ended: boolean;
}

export interface Places {
  readonly most: number;
  /** Of one client. Clients are counted only where this is less than `most`. */
  readonly mostOfClient: number;
  readonly now: () => number;
  readonly serving: Set<Place>;
  readonly uploading: Set<Place>;
  /** By client: its places. There are no more entries than places. */
  readonly clients: Map<string, number>;
}

export type Refusal = "gate-busy" | "client-busy";

/** A request whose end nobody reported is forgotten then, so that a lost one never closes a gate for good. */
const forgottenAfterMs = 15 * 60_000;

/** @param share of the places that one client may hold, in (0, 1]; one place at least */
export const placesOf = (most: number, share: number, { now }: Pick<Places, "now">): Places => ({
  most,
  mostOfClient: Math.max(1, Math.floor(most * share + 1e-9)),
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
export const enter = (
  places: Places,
  client: string,
  uploading: boolean,
  since: number = places.now(),
): Place | Refusal => {
  const group = uploading ? places.uploading : places.serving;
  if (group.size >= places.most) forget(places, group);
  if (group.size >= places.most) return "gate-busy";
  const place: Place = { places, since, client: "", uploading, ended: false };
  if (!countAs(place, client)) return "client-busy";
  group.add(place);
  return place;
};

/**
 * Counts the request as this client's from now on, and as nobody else's.
 * @returns false where the client has its share; the request is then counted as before
 */
export const countAs = (place: Place, client: string): boolean => {
  const { places } = place;
  if (place.ended || client === place.client || places.mostOfClient >= places.most) return true;
  if (client !== "" && countOf(places, client) >= places.mostOfClient) {
    forget(places, places.serving);
    forget(places, places.uploading);
    if (countOf(places, client) >= places.mostOfClient) return false;
  }
  giveBack(place);
  place.client = client;
  if (client !== "") places.clients.set(client, countOf(places, client) + 1);
  return true;
};

const countOf = ({ clients }: Places, client: string): number => clients.get(client) ?? 0;

/** Gives back what the client holds by this request. */
const giveBack = ({ places, client }: Place): void => {
  if (client === "") return;
  const left = countOf(places, client) - 1;
  if (left > 0) places.clients.set(client, left);
  else places.clients.delete(client);
};

/**
 * The body is complete, so the request takes its place among those that are served.
 * @param begun whether a service has the request already. It then counts even beyond the bound, since to refuse it would undo nothing.
 * @returns false where there is no place
 */
export const bodyArrived = (place: Place, begun: boolean): boolean => {
  if (!place.uploading) return true;
  const { places } = place;
  if (places.serving.size >= places.most) forget(places, places.serving);
  if (places.serving.size >= places.most && !begun) return false;
  place.uploading = false;
  // A request that has ended by now holds nothing.
  if (places.uploading.delete(place)) places.serving.add(place);
  return true;
};

/** The request's end. A second call does nothing. */
export const leave = (place: Place): void => {
  const { serving, uploading } = place.places;
  place.ended = true;
  if (serving.delete(place) || uploading.delete(place)) giveBack(place);
};

/** A set keeps the order in which its members came, so the oldest come first; of those whose body took long, perhaps a little later. */
const forget = (places: Places, group: ReadonlySet<Place>): void => {
  const before = places.now() - forgottenAfterMs;
  for (const place of group) {
    if (place.since >= before) return;
    leave(place);
  }
};
