/** Facts about URLs in a manifest: loopback hosts and unencrypted connections. */

/** Whether the host is this machine, so that nothing is sent over a network. */
export const isLoopback = (url: string): boolean =>
  URL.canParse(url) && /^(?:(?:[a-z0-9-]+\.)*localhost|127(?:\.\d+){3}|\[::1\])$/.test(new URL(url).hostname);

/** Whether requests cross a network unencrypted, so that others can read and change them. */
export const isPlaintext = (url: string): boolean => url.toLowerCase().startsWith("http://") && !isLoopback(url);
