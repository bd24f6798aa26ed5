/**
 * Tokens whose signature has been verified; per isolate. What changes with time is not kept: it is asked at each use.
 *
 * A map finds a token by a hash of its text and compares all of it. A digest as the key would cost a request a tenth of a bare
 * passthrough, and hide nothing: what the token says is kept beside it, and the memory of an isolate is written nowhere.
 */

const maxTokens = 1_000;
/** Of their texts together: a manifest may let tokens be longer than is usual. */
const maxCharacters = 8 * 2 ** 20;

export interface TokenCache<T> {
  readonly get: (token: string) => T | undefined;
  readonly put: (token: string, value: T) => void;
  /** Forgets all where the keys are others than before, so that no token outlives the key that verified it. */
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
      // The oldest are forgotten.
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
