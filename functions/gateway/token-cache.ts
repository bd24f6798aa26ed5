/** Tokens whose signature has been verified, by their hash; per isolate. What changes with time is not kept: it is asked at each use. */

/** The oldest is forgotten. */
const mostTokens = 1_000;

export interface TokenCache<T> {
  readonly get: (hash: string) => T | undefined;
  readonly put: (hash: string, value: T) => void;
  /** Forgets all where the keys are others than before, so that no token outlives the key that verified it. */
  readonly under: (keys: string) => void;
}

export const tokenCache = <T>(most = mostTokens): TokenCache<T> => {
  const all = new Map<string, T>();
  let known = "";
  return {
    get: (hash) => all.get(hash),
    put: (hash, value) => {
      all.set(hash, value);
      if (all.size > most) all.delete(all.keys().next().value as string);
    },
    under: (keys) => {
      if (keys === known) return;
      known = keys;
      all.clear();
    },
  };
};
