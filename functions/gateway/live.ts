/** Keeps what lies over a gate's plan, and which tokens were taken back, fresh: asked for in the background, waited for when it is old, and the last good one where nobody answers. */

import type { Plan } from "./core/plan.ts";
import { revocationSet } from "./core/ports/revocations.ts";
import type { Deps } from "./core/types.ts";
import { readAll } from "./http/read-stream.ts";
import { parseFeedMessage } from "./overlay/feed-message.ts";
import {
  applyOverlay,
  type EntryOfKind,
  type FeedMessage,
  maxFeedAgeMs,
  type OverlayEntry,
} from "./overlay/overlay.ts";
import type { Parts } from "./part.ts";
import { clientClosedRequest, type Gateway, link } from "./server.ts";

export interface FeedSource {
  /** @throws where nobody answers in time */
  readonly read: () => Promise<FeedMessage>;
  /** JSON that stands in for it where nothing has been heard yet. Others can write there: it is read as if anybody had. */
  readonly copy: () => Promise<ReadableStream<Uint8Array> | null>;
  /** Lets the request end before the work does. */
  readonly defer: (work: Promise<unknown>) => void;
}

export type LinkLive = (plan: Plan, parts: Parts, deps: Deps, source: FeedSource) => Gateway;

/** Younger than this nobody asks; from then on it is asked for beside the requests. */
const freshMs = 5000;
/** A request waits no longer than that for the answer that another one has asked for. */
const maxWaitMs = 1500;
const pollMs = 20;

export const live: LinkLive = (plan, parts, baseDeps, source) => {
  // Not a matter of linking: a gate that hears of a revocation keeps what it has counted and verified.
  let revoked = revocationSet([]);
  const deps: Deps = { ...baseDeps, revoked: () => revoked, drainEnd: () => drainEnd() };
  let serve = link(plan, parts, deps);
  let entries: readonly OverlayEntry[] = [];
  let hasMessage = false;
  let appliedText = "";
  let expires = Number.POSITIVE_INFINITY;
  let refreshedAt = Number.NEGATIVE_INFINITY;
  let requestedAt = Number.NEGATIVE_INFINITY;

  const applyEntries = (now: number) => {
    const valid = entries.filter(({ kind, until }) => kind !== "drain" && until > now);
    expires = Math.min(...valid.map(({ until }) => until));
    const text = JSON.stringify(valid);
    if (text === appliedText) return;
    appliedText = text;
    serve = link(applyOverlay(plan, valid, parts.trafficShift), parts, deps);
  };

  const logLost = (error: unknown) =>
    deps.log({ type: "fault", tier: plan.tier, route: null, code: "feed-lost", cause: String(error).slice(0, 200) });

  const refresh = async () => {
    requestedAt = deps.now();
    const message = await source
      .read()
      .then(parseFeedMessage)
      .catch(async (error) => {
        logLost(error);
        // What the feed itself has said goes on: no copy takes back what was taken back.
        return hasMessage ? undefined : source.copy().then(readCopy).catch(noMessage);
      });
    // Without an answer the last one goes on, and is asked for again when it would have been.
    refreshedAt = deps.now();
    hasMessage ||= message !== undefined;
    if (message) {
      const before = entries;
      entries = message.entries;
      try {
        applyEntries(refreshedAt);
      } catch (error) {
        entries = before;
        logLost(error);
      }
      revoked = revocationSet(message.revoked ?? []);
    }
  };

  /** A promise belongs to the request that made it, so others look by themselves whether it has been kept. */
  const waitForRefresh = async () => {
    const since = deps.now();
    while (deps.now() - refreshedAt >= maxFeedAgeMs && deps.now() - since < maxWaitMs) await deps.sleep(pollMs);
  };

  /** Goes on where the client leaves: clients that break off would keep the gate from its news otherwise. */
  const keepAlive = (work: Promise<void>): Promise<void> => {
    source.defer(work);
    return work;
  };

  const isRefreshing = (now: number): boolean => now - requestedAt < maxWaitMs && requestedAt > refreshedAt;

  /** A stream asks for news by itself: the gate may have no other request any more. */
  const drainEnd = async (): Promise<number | undefined> => {
    const now = deps.now();
    if (now - refreshedAt >= freshMs && !isRefreshing(now)) await refresh();
    // A version that was taken back again has two, and the last one counts.
    const drain = entries.findLast(
      (it): it is EntryOfKind<"drain"> => it.kind === "drain" && it.versions.includes(deps.version),
    );
    return drain?.ends;
  };

  return async (request, caller) => {
    const now = deps.now();
    const age = now - refreshedAt;
    if (age >= freshMs) {
      const refreshing = isRefreshing(now);
      if (age >= maxFeedAgeMs) {
        // Where the client leaves meanwhile, the runtime cancels what follows, so its line is written then or never.
        request.signal.onabort = () => serve.recordAbandoned(request, caller, now);
        await (refreshing ? waitForRefresh() : keepAlive(refresh()));
        if (request.signal.aborted) return new Response(null, { status: clientClosedRequest });
      } else if (!refreshing) source.defer(refresh());
    }
    if (now >= expires) applyEntries(now);
    return serve(request, caller);
  };
};

const noMessage = (): undefined => undefined;

/** All that a tier may have laid over it and taken back is less. */
const maxCopyBytes = 1024 * 1024;

/**
 * Other Workers of the account could have written the copy: one that is not sound as a whole is left out.
 * @throws where it is too long, or no JSON
 */
const readCopy = async (copy: ReadableStream<Uint8Array> | null): Promise<FeedMessage | undefined> => {
  if (!copy) return undefined;
  const bytes = await readAll(copy, maxCopyBytes, () => new Error("a copy that is too long"));
  const it = JSON.parse(new TextDecoder().decode(bytes)) as FeedMessage;
  const { entries, revoked = [] } = it;
  const message = parseFeedMessage(it);
  const isWhole = message.entries.length === entries.length && message.revoked?.length === revoked.length;
  return isWhole ? message : undefined;
};
