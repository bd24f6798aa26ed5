/** What an address of a service or a page says of the way there. */

/** On this machine: nobody sits on the way. */
export const isLoopback = (url: string): boolean =>
  URL.canParse(url) && /^(?:(?:[a-z0-9-]+\.)*localhost|127(?:\.\d+){3}|\[::1\])$/.test(new URL(url).hostname);

/** Whoever is on the way reads it, and can change it. */
export const isPlaintext = (url: string): boolean => url.toLowerCase().startsWith("http://") && !isLoopback(url);
