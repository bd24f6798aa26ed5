/** Keeps what lies over a gate's plan, and which tokens were taken back, fresh: asked for in the background, waited for when it is old, and the last good one where nobody answers. */

import type { Plan } from "./core/plan.ts";
import { revocations } from "./core/ports/revocations.ts";
import type { Deps } from "./core/types.ts";
import { collect } from "./http/read-stream.ts";
import { toldOf } from "./overlay/feed-message.ts";
import { type Entry, type Kind, oldMs, overlaid, type Told } from "./overlay/overlay.ts";
import type { Parts } from "./part.ts";
import { clientClosedRequest, type Gateway, link } from "./server.ts";

export interface Source {
  /** @throws where nobody answers in time */
  readonly read: () => Promise<Told>;
  /** JSON that stands in for it where nothing has been heard yet. Others can write there: it is read as if anybody had. */
  readonly copy: () => Promise<ReadableStream<Uint8Array> | null>;
  /** Lets the request end before the work does. */
  readonly defer: (work: Promise<unknown>) => void;
}

export type Live = (plan: Plan, parts: Parts, deps: Deps, source: Source) => Gateway;

/** Younger than this nobody asks; from then on it is asked for beside the requests. */
const freshMs = 5000;
/** A request waits no longer than that for the answer that another one has asked for. */
const patienceMs = 1500;
const turnMs = 20;

export const live: Live = (plan, parts, world, source) => {
  // Not a matter of linking: a gate that hears of a revocation keeps what it has counted and verified.
  let revoked = revocations([]);
  const deps: Deps = { ...world, revoked: () => revoked, draining: () => draining() };
  let serve = link(plan, parts, deps);
  let entries: readonly Entry[] = [];
  let hasHeard = false;
  let applied = "";
  let expires = Number.POSITIVE_INFINITY;
  let heardAt = Number.NEGATIVE_INFINITY;
  let askedAt = Number.NEGATIVE_INFINITY;

  const apply = (now: number) => {
    const valid = entries.filter(({ kind, until }) => kind !== "drain" && until > now);
    expires = Math.min(...valid.map(({ until }) => until));
    const text = JSON.stringify(valid);
    if (text === applied) return;
    applied = text;
    serve = link(overlaid(plan, valid, parts.moves), parts, deps);
  };

  const lost = (error: unknown) =>
    deps.log({ type: "fault", tier: plan.tier, route: null, code: "feed-lost", cause: String(error).slice(0, 200) });

  const refresh = async () => {
    askedAt = deps.now();
    const told = await source
      .read()
      .then(toldOf)
      .catch(async (error) => {
        lost(error);
        // What the feed itself has said goes on: no copy takes back what was taken back.
        return hasHeard ? undefined : source.copy().then(copied).catch(none);
      });
    // Without an answer the last one goes on, and is asked for again when it would have been.
    heardAt = deps.now();
    hasHeard ||= told !== undefined;
    if (told) {
      const before = entries;
      entries = told.entries;
      try {
        apply(heardAt);
      } catch (error) {
        entries = before;
        lost(error);
      }
      revoked = revocations(told.revoked ?? []);
    }
  };

  /** A promise belongs to the request that made it, so others look by themselves whether it has been kept. */
  const waited = async () => {
    const since = deps.now();
    while (deps.now() - heardAt >= oldMs && deps.now() - since < patienceMs) await deps.sleep(turnMs);
  };

  /** Goes on where the client leaves: clients that break off would keep the gate from its news otherwise. */
  const completed = (work: Promise<void>): Promise<void> => {
    source.defer(work);
    return work;
  };

  const isAsking = (now: number): boolean => now - askedAt < patienceMs && askedAt > heardAt;

  /** A stream asks for news by itself: the gate may have no other request any more. */
  const draining = async (): Promise<number | undefined> => {
    const now = deps.now();
    if (now - heardAt >= freshMs && !isAsking(now)) await refresh();
    // A version that was taken back again has two, and the last one counts.
    const drain = entries.findLast(
      (it): it is Kind<"drain"> => it.kind === "drain" && it.versions.includes(deps.version),
    );
    return drain?.ends;
  };

  return async (request, caller) => {
    const now = deps.now();
    const age = now - heardAt;
    if (age >= freshMs) {
      const asking = isAsking(now);
      if (age >= oldMs) {
        // Where the client leaves meanwhile, the runtime cancels what follows, so its line is written then or never.
        request.signal.onabort = () => serve.left(request, caller, now);
        await (asking ? waited() : completed(refresh()));
        if (request.signal.aborted) return new Response(null, { status: clientClosedRequest });
      } else if (!asking) source.defer(refresh());
    }
    if (now >= expires) apply(now);
    return serve(request, caller);
  };
};

const none = (): undefined => undefined;

/** All that a tier may have laid over it and taken back is less. */
const mostCopyBytes = 1024 * 1024;

/**
 * Other Workers of the account could have written the copy: one that is not sound as a whole is left out.
 * @throws where it is too long, or no JSON
 */
const copied = async (copy: ReadableStream<Uint8Array> | null): Promise<Told | undefined> => {
  if (!copy) return undefined;
  const bytes = await collect(copy, mostCopyBytes, () => new Error("a copy that is too long"));
  const it = JSON.parse(new TextDecoder().decode(bytes)) as Told;
  const { entries, revoked = [] } = it;
  const told = toldOf(it);
  const isWhole = told.entries.length === entries.length && told.revoked?.length === revoked.length;
  return isWhole ? told : undefined;
};
