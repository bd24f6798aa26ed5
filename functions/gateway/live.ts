/**
 * Keeps overlays and revocations of a gate up to date. Refreshes in the background, waits when the data is too old,
 * and keeps the last good data when the feed is unavailable.
 */

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
  /** @throws when the feed does not answer in time */
  readonly read: () => Promise<FeedMessage>;
  /** A fallback copy for a gate that has no message yet. Other Workers can write it, so it is untrusted. */
  readonly copy: () => Promise<ReadableStream<Uint8Array> | null>;
  /** Lets the request end before the work does. */
  readonly defer: (work: Promise<unknown>) => void;
}

export type LinkLive = (plan: Plan, parts: Parts, deps: Deps, source: FeedSource) => Gateway;

/** Fresh data is not refreshed. Older data is refreshed in the background. */
const freshMs = 5000;
/** The longest that a request waits for a refresh of another request. */
const maxWaitMs = 1500;
const pollMs = 20;

export const live: LinkLive = (plan, parts, baseDeps, source) => {
  // Revocations do not relink the gate, so that it keeps its counters and verified tokens.
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
        // The last message of the feed stays valid: the copy must not undo it.
        return hasMessage ? undefined : source.copy().then(readCopy).catch(noMessage);
      });
    // On failure the last message stays valid, and the next refresh comes at the usual time.
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

  /** A promise belongs to the request that created it, so other requests poll for its result. */
  const waitForRefresh = async () => {
    const since = deps.now();
    while (deps.now() - refreshedAt >= maxFeedAgeMs && deps.now() - since < maxWaitMs) await deps.sleep(pollMs);
  };

  /** Continues when the client disconnects. Otherwise disconnecting clients could keep the gate from refreshing. */
  const keepAlive = (work: Promise<void>): Promise<void> => {
    source.defer(work);
    return work;
  };

  const isRefreshing = (now: number): boolean => now - requestedAt < maxWaitMs && requestedAt > refreshedAt;

  /** Streams refresh by themselves, since the gate may have no other request. */
  const drainEnd = async (): Promise<number | undefined> => {
    const now = deps.now();
    if (now - refreshedAt >= freshMs && !isRefreshing(now)) await refresh();
    // A version that was rolled back twice has two entries. The last one counts.
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
        // If the client disconnects meanwhile, the runtime cancels what follows, so the log line is written here.
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

/** More than all overlays and revocations of a tier. */
const maxCopyBytes = 1024 * 1024;

/**
 * Parses the copy. Other Workers of the account can write it, so it is used only if every part is valid.
 * @throws when it is too long or not JSON
 */
const readCopy = async (copy: ReadableStream<Uint8Array> | null): Promise<FeedMessage | undefined> => {
  if (!copy) return undefined;
  const bytes = await readAll(copy, maxCopyBytes, () => new Error("the copy is too long"));
  const it = JSON.parse(new TextDecoder().decode(bytes)) as FeedMessage;
  const { entries, revoked = [] } = it;
  const message = parseFeedMessage(it);
  const isWhole = message.entries.length === entries.length && message.revoked?.length === revoked.length;
  return isWhole ? message : undefined;
};
