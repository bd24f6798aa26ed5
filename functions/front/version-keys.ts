/**
 * The salt of a version key. The platform hashes the key to choose a gate's version. By the gray key alone the same users
 * would get the new version first, in every rollout of every Worker, and a client could look for a key that does. The salt
 * depends on the Worker and on its epoch, which control changes before a rollout, while one version has all users.
 */

import { fieldsOf } from "../gateway/core/json.ts";
import { feedBinding } from "../gateway/core/ports/state.ts";
import { readJson } from "../gateway/http/read-stream.ts";
import { hmacSha256 } from "../gateway/identity/hmac.ts";
import { type Freshness, freshMs, isRefreshing, neverRefreshed, waitForRefresh } from "../gateway/overlay/freshness.ts";
import { maxFeedAgeMs } from "../gateway/overlay/overlay.ts";
import { frontName } from "./front-name.ts";

/**
 * The secret of the salts. `postern deploy` generates it. Without it the gray key alone is the version key, as it is
 * without a control plane.
 */
export const splitSecret = "POSTERN_SPLIT_KEY";

/** In characters. `postern deploy` makes 43: 256 bits in base64url. */
const minSecretLength = 32;
/** Short, since a request may be waiting. */
const feedTimeoutMs = 1000;
/** More than the epochs of all Workers that a front can have. */
const maxMessageBytes = 1024 * 1024;

interface Ports {
  /** The bindings and the secret. */
  readonly env: Readonly<Record<string, unknown>>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  /** Keeps the work running after the response. */
  readonly defer: (work: Promise<unknown>) => void;
  readonly log: (line: object) => void;
}

export interface VersionKeys {
  /**
   * The salt of a gate, by its binding. A promise only for the first request to a gate in an epoch, and when the epochs are
   * too old. Never rejects.
   * @param now milliseconds since the epoch
   */
  readonly saltOf: (binding: string, now: number) => string | Promise<string>;
}

/** What the front has received. */
interface State extends Freshness {
  /** By Worker. The epoch of a Worker that is missing is empty. */
  epochs: Readonly<Record<string, string>>;
  revision: number;
}

/**
 * @param workers the Worker of each binding to a gate
 * @returns undefined if the front has no secret or no feed
 */
export const versionKeys = (
  workers: Readonly<Record<string, string>> | undefined,
  { env, now, sleep, defer, log }: Ports,
): VersionKeys | undefined => {
  const secret = env[splitSecret];
  const feed = env[feedBinding(frontName)] as Fetcher | undefined;
  if (!workers || !feed || typeof secret !== "string" || secret.length < minSecretLength) return undefined;
  const mac = authenticator(secret);
  const state: State = { ...neverRefreshed, epochs: {}, revision: -1 };
  /** By binding, of the current epoch. */
  const salts = new Map<string, string>();

  const apply = ({ epochs, revision }: Message): void => {
    const before = state.epochs;
    Object.assign(state, { epochs, revision });
    for (const binding of salts.keys()) {
      const worker = workers[binding] ?? "";
      if (epochs[worker] !== before[worker]) salts.delete(binding);
    }
  };
  const refresh = async (): Promise<void> => {
    state.requestedAt = now();
    try {
      apply(await readFeed(feed));
    } catch (error) {
      log({ type: "fault", tier: frontName, route: null, code: "feed-lost", cause: String(error).slice(0, 200) });
      const copy = await readCopy(env.COPY as KVNamespace | undefined);
      if (copy && copy.revision > state.revision) apply(copy);
    }
    // Without a message the last epochs stay valid, and the next refresh comes at the usual time.
    state.refreshedAt = now();
  };
  /** Continues when the client disconnects. */
  const refreshForRequest = (): Promise<void> => {
    const work = refresh();
    defer(work);
    return work;
  };
  const computeSalt = async (binding: string, worker: string): Promise<string> => {
    const epoch = state.epochs[worker];
    const salt = await mac(`postern version key 1\n${worker}\n${epoch ?? ""}`);
    if (state.epochs[worker] === epoch) salts.set(binding, salt);
    return salt;
  };
  const current = (binding: string): string | Promise<string> => {
    const known = salts.get(binding);
    if (known !== undefined) return known;
    const worker = workers[binding];
    return worker === undefined ? "" : computeSalt(binding, worker);
  };
  return {
    saltOf: (binding, at) => {
      const age = at - state.refreshedAt;
      if (age < freshMs) return current(binding);
      const refreshing = isRefreshing(state, at);
      if (age >= maxFeedAgeMs)
        return (refreshing ? waitForRefresh(state, { now, sleep }) : refreshForRequest()).then(() => current(binding));
      if (!refreshing) defer(refresh());
      return current(binding);
    },
  };
};

interface Message {
  readonly epochs: Readonly<Record<string, string>>;
  readonly revision: number;
}

/** @throws when the feed does not answer in time */
const readFeed = async (feed: Fetcher): Promise<Message> => {
  const response = await feed.fetch("https://feed/", { signal: AbortSignal.timeout(feedTimeoutMs) });
  if (!response.ok) throw new Error(`the feed answered ${response.status}`);
  return messageOf(await readJson(response, maxMessageBytes));
};

/** The feed's copy for an isolate that does not reach it. It is up to a minute old. */
const readCopy = async (copies: KVNamespace | undefined): Promise<Message | undefined> => {
  try {
    const copy = await copies?.get(`feed/${frontName}`, "stream");
    return copy ? messageOf(await readJson(new Response(copy), maxMessageBytes)) : undefined;
  } catch {
    return undefined;
  }
};

/** @throws if it is no message of a feed */
const messageOf = (value: unknown): Message => {
  const { revision, entries } = fieldsOf(value);
  if (typeof revision !== "number" || !Array.isArray(entries)) throw new TypeError("this is not a feed message");
  const entry = entries.map(fieldsOf).findLast(({ kind }) => kind === "epochs");
  const epochs = Object.entries(fieldsOf(entry?.epochs)).filter(
    (it): it is [string, string] => typeof it[1] === "string",
  );
  return { revision, epochs: Object.fromEntries(epochs) };
};

/** HMAC-SHA-256, of which 128 bits are used, in base64url. */
const authenticator = (secret: string): ((text: string) => Promise<string>) => {
  const mac = hmacSha256(secret);
  return async (text) =>
    btoa(String.fromCharCode(...(await mac(text)).subarray(0, 16)))
      .replaceAll("+", "-")
      .replaceAll("/", "_")
      .slice(0, 22);
};
