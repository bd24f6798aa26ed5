/** Bounds how many requests are under way at once. Per isolate. */
import type { Deps } from "./types.ts";

/** A request whose end nobody told is forgotten then, so that a lost one never closes a gate for good. */
const forgottenAfterMs = 15 * 60_000;

/** @returns asks for a place: what gives it back, or undefined when there is none. Giving back twice does no harm. */
export const crowd = (most: number, deps: Pick<Deps, "now">): (() => (() => void) | undefined) => {
  const places = new Map<number, number>();
  let next = 0;
  return () => {
    if (places.size >= most) forget(places, deps.now() - forgottenAfterMs);
    if (places.size >= most) return undefined;
    const place = next++;
    places.set(place, deps.now());
    return () => void places.delete(place);
  };
};

/** A map keeps the order of its keys, so the oldest come first. */
const forget = (places: Map<number, number>, before: number): void => {
  for (const [place, since] of places) {
    if (since >= before) return;
    places.delete(place);
  }
};
