/**
 * Keeps overlays and revocations of a gate up to date. Refreshes in the background, waits when the data is too old,
 * and keeps the last good data when the feed is unavailable.
 */

import type { Plan } from "./core/plan.ts";
import { type RevocationSet, revocationSet } from "./core/ports/revocations.ts";
import type { Deps } from "./core/types.ts";
import { readAll } from "./http/read-stream.ts";
import { isKnownKind, parseFeedMessage } from "./overlay/feed-message.ts";
import { type Freshness, freshMs, isRefreshing, neverRefreshed, waitForRefresh } from "./overlay/freshness.ts";
import {
  applyOverlay,
  type EntryOfKind,
  type FeedMessage,
  maxFeedAgeMs,
  type OverlayEntry,
} from "./overlay/overlay.ts";
import type { Parts } from "./part.ts";
import { clientClosedRequest, type Gateway, type LinkedGateway, link } from "./server.ts";

export interface FeedSource {
  /** @throws when the feed does not answer in time */
  readonly read: () => Promise<FeedMessage>;
  /** A fallback copy for a gate that has no message yet. Other Workers can write it, so it is untrusted. */
  readonly copy: () => Promise<ReadableStream<Uint8Array> | null>;
  /** Keeps the work running after the response. */
  readonly defer: (work: Promise<unknown>) => void;
}

export type LinkLive = (plan: Plan, parts: Parts, deps: Deps, source: FeedSource) => Gateway;

/** What a gate has received from its feed, and the gateway that is linked with it. Times are milliseconds since the epoch. */
interface LiveState extends Freshness {
  serve: LinkedGateway;
  entries: readonly OverlayEntry[];
  revoked: RevocationSet;
  hasMessage: boolean;
  /** The entries that `serve` is linked with. */
  appliedText: string;
  /** When the first of them expires. */
  expires: number;
  /** When the last entry that measures bodies ends. */
  measuredUntil: number;
}

export const live: LinkLive = (plan, parts, baseDeps, source) => {
  const deps: Deps = {
    ...baseDeps,
    // Revocations do not relink the gate, so that it keeps its counters and verified tokens.
    revoked: () => state.revoked,
    measuresBodies: () => deps.now() < state.measuredUntil,
    drainEnd: async () => {
      const now = deps.now();
      // Streams refresh by themselves, since the gate may have no other request.
      if (now - state.refreshedAt >= freshMs && !isRefreshing(state, now)) await refresh();
      return drainEndOf(state.entries, deps.version);
    },
  };
  const relink = (entries: readonly OverlayEntry[]) =>
    link(applyOverlay(plan, entries, parts.trafficShift), parts, deps);
  const state = emptyState(link(plan, parts, deps));
  const logLost = (error: unknown) =>
    deps.log({ type: "fault", tier: plan.tier, route: null, code: "feed-lost", cause: String(error).slice(0, 200) });

  const refresh = async () => {
    state.requestedAt = deps.now();
    const message = await messageOf(source, state, logLost);
    // On failure the last message stays valid, and the next refresh comes at the usual time.
    state.refreshedAt = deps.now();
    if (!message) return;
    state.hasMessage = true;
    const before = state.entries;
    state.entries = message.entries;
    try {
      applyEntries(state, state.refreshedAt, relink);
    } catch (error) {
      state.entries = before;
      logLost(error);
    }
    state.revoked = revocationSet(message.revoked ?? []);
  };

  /** Continues when the client disconnects. Otherwise disconnecting clients could keep the gate from refreshing. */
  const refreshForRequest = (): Promise<void> => {
    const work = refresh();
    source.defer(work);
    return work;
  };

  return async (request, caller) => {
    const now = deps.now();
    const age = now - state.refreshedAt;
    if (age >= freshMs) {
      const refreshing = isRefreshing(state, now);
      if (age >= maxFeedAgeMs) {
        // If the client disconnects meanwhile, the runtime cancels what follows, so the log line is written here.
        request.signal.onabort = () => state.serve.recordAbandoned(request, caller, now);
        await (refreshing ? waitForRefresh(state, deps) : refreshForRequest());
        if (request.signal.aborted) return new Response(null, { status: clientClosedRequest });
      } else if (!refreshing) source.defer(refresh());
    }
    if (now >= state.expires) applyEntries(state, now, relink);
    return state.serve(request, caller);
  };
};

const emptyState = (serve: LinkedGateway): LiveState => ({
  ...neverRefreshed,
  serve,
  entries: [],
  revoked: revocationSet([]),
  hasMessage: false,
  appliedText: "",
  expires: Number.POSITIVE_INFINITY,
  measuredUntil: 0,
});

const changesPlan = (kind: OverlayEntry["kind"]): boolean =>
  kind !== "drain" && kind !== "measure" && kind !== "epochs";

/** Links the gateway with the entries that are valid now, unless it is already. */
const applyEntries = (state: LiveState, now: number, relink: (valid: readonly OverlayEntry[]) => LinkedGateway) => {
  const valid = state.entries.filter(({ kind, until }) => changesPlan(kind) && until > now);
  state.measuredUntil = Math.max(0, ...state.entries.map(({ kind, until }) => (kind === "measure" ? until : 0)));
  state.expires = Math.min(...valid.map(({ until }) => until));
  const text = JSON.stringify(valid);
  if (text === state.appliedText) return;
  state.appliedText = text;
  state.serve = relink(valid);
};

/** A version that was rolled back twice has two entries. The last one counts. */
const drainEndOf = (entries: readonly OverlayEntry[], version: string): number | undefined =>
  entries.findLast((it): it is EntryOfKind<"drain"> => it.kind === "drain" && it.versions.includes(version))?.ends;

/** The feed's message. Without one so far, the copy; it must not undo an earlier message. */
const messageOf = (
  source: FeedSource,
  state: LiveState,
  logLost: (error: unknown) => void,
): Promise<FeedMessage | undefined> =>
  source
    .read()
    .then(parseFeedMessage)
    .catch(async (error) => {
      logLost(error);
      return state.hasMessage ? undefined : source.copy().then(readCopy).catch(noMessage);
    });

const noMessage = (): undefined => undefined;

/** More than all overlays and revocations of a tier. */
const maxCopyBytes = 1024 * 1024;

/**
 * Parses the copy. Other Workers of the account can write it, so it is used only if every part of a known kind is valid.
 * @throws when it is too long or not JSON
 */
const readCopy = async (copy: ReadableStream<Uint8Array> | null): Promise<FeedMessage | undefined> => {
  if (!copy) return undefined;
  const bytes = await readAll(copy, maxCopyBytes, () => new Error("the copy is too long"));
  const it = JSON.parse(new TextDecoder().decode(bytes)) as FeedMessage;
  const { entries, revoked = [] } = it;
  const message = parseFeedMessage(it);
  const known = entries.filter(({ kind }) => isKnownKind(kind));
  const isWhole = message.entries.length === known.length && message.revoked?.length === revoked.length;
  return isWhole ? message : undefined;
};
