/** The gray key keeps a user on one version. The front sets it, and derives the version keys from it. */

import type { FrontPlan } from "../gateway/core/plan.ts";
import { cookie } from "../gateway/http/cookies.ts";
import { setCallerHeader } from "../gateway/proxy/forwarding.ts";

/** The key only controls stickiness, so any short plain text is valid. */
const plainKey = /^[\w.:@-]{1,128}$/;

/** Cookie prefix: only this host can set such a cookie, over https (RFC 6265bis, 4.1.3). */
const hostPrefix = "__Host-";

/**
 * Picks the gray key: the configured header, else our cookie, else a new key. A cookie without the prefix comes from
 * an earlier release: it is accepted for this release, so that users keep their version, and replaced.
 * @param uuid generates a key
 * @returns the key, whether it is new, and the cookie to set; undefined when none is needed
 */
export const grayKeySetter = ({ header, cookie: name }: FrontPlan["grayKey"], uuid: () => string) => {
  const [cookieName, oldCookieName] = namesOf(name);
  const isPlain = (key: string | null | undefined): key is string => !!key && plainKey.test(key);
  return (
    request: Request,
    headers: Headers,
    gateOnlyHeaders: readonly string[],
  ): { readonly key: string; readonly isGenerated: boolean; readonly setCookie: string | undefined } => {
    const existing = [header && headers.get(header), cookie(headers, cookieName)].find(isPlain);
    const clientKey = existing ?? [cookie(headers, oldCookieName)].find(isPlain);
    const key = clientKey ?? uuid();
    const isGenerated = clientKey === undefined;
    setCallerHeader(headers, key, gateOnlyHeaders, isGenerated);
    if (existing || !wantsCookie(request)) return { key, isGenerated, setCookie: undefined };
    const setCookie = `${cookieName}=${key}; Path=/; Max-Age=31536000; Secure; HttpOnly; SameSite=Lax`;
    return { key, isGenerated, setCookie };
  };
};

/** Our cookie's name, with and without the prefix. */
const namesOf = (name: string): readonly [own: string, bare: string] => {
  const oldCookieName = name.replace(/^__(?:Host|Secure)-/i, "");
  return [hostPrefix + oldCookieName, oldCookieName];
};

/**
 * Removes our cookie from services' responses: otherwise one tier's service could choose the versions of every tier
 * on the host.
 */
export const withoutGrayKey = ({ cookie: name }: FrontPlan["grayKey"]): ((response: Response) => Response) => {
  const names = namesOf(name);
  const isOurs = (line: string): boolean => names.includes((line.split("=", 1)[0] ?? "").trim());
  return (response) => {
    if (!response.headers.has("set-cookie")) return response;
    const all = response.headers.getSetCookie();
    if (!all.some(isOurs)) return response;
    const copy = new Response(response.body, response);
    copy.headers.delete("set-cookie");
    for (const line of all) if (!isOurs(line)) copy.headers.append("set-cookie", line);
    return copy;
  };
};

/** Only browsers keep cookies, and only they send Fetch Metadata headers. */
const wantsCookie = ({ headers }: Request): boolean => headers.has("sec-fetch-site") && !headers.has("upgrade");
