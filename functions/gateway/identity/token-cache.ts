/**
 * Remembers tokens whose signature has been verified. Per isolate. Whatever changes with time is checked on each use.
 *
 * The token itself is the key. A digest as the key would cost a tenth of a bare passthrough and hide nothing, since
 * the claims are stored beside it and the memory of an isolate is never written out.
 */

const maxTokens = 1_000;
/** In total, since a manifest may allow long tokens. */
const maxCharacters = 8 * 2 ** 20;

export interface TokenCache<T> {
  readonly get: (token: string) => T | undefined;
  readonly put: (token: string, value: T) => void;
  /** Clears the cache when the keys change, so that no token outlives its key. */
  readonly useKeys: (keys: string) => void;
}

export const tokenCache = <T>(max = maxTokens): TokenCache<T> => {
  const all = new Map<string, T>();
  let currentKeys = "";
  let characters = 0;
  return {
    get: (token) => all.get(token),
    put: (token, value) => {
      if (!all.has(token)) characters += token.length;
      all.set(token, value);
      // Evicts the oldest.
      while (all.size > max || characters > maxCharacters) {
        const oldest = all.keys().next().value as string;
        all.delete(oldest);
        characters -= oldest.length;
      }
    },
    useKeys: (keys) => {
      if (keys === currentKeys) return;
      currentKeys = keys;
      all.clear();
      characters = 0;
    },
  };
};
