/** What keeps a user on one version: the front sets the key, and the platform splits versions by it. */

import type { FrontPlan } from "../gateway/core/plan.ts";
import { cookie } from "../gateway/http/cookies.ts";
import { setCallerHeader, versionKeyHeader } from "../gateway/proxy/forwarding.ts";

/** A key that steers nothing but stickiness, so its only rule is to be short and plain. */
const plainKey = /^[\w.:@-]{1,128}$/;

/** Ahead of a cookie's name: browsers take it from this host alone, and from no page of a sibling or of plain http (RFC 6265bis, 4.1.3). */
const hostPrefix = "__Host-";

/**
 * The gray key: the configured header, else our cookie, else a new cookie. The platform splits versions by it. A cookie
 * without the prefix is from before: it counts for this release, so that its users stay where they are, and becomes the new one.
 * @param uuid makes a new key
 * @returns the cookie to set, where there is a new one
 */
export const grayKeySetter = ({ header, cookie: name }: FrontPlan["grayKey"], uuid: () => string) => {
  const [cookieName, oldCookieName] = namesOf(name);
  const isPlain = (key: string | null | undefined): key is string => !!key && plainKey.test(key);
  return (request: Request, headers: Headers, gateOnlyHeaders: readonly string[]): string | undefined => {
    const existing = [header && headers.get(header), cookie(headers, cookieName)].find(isPlain);
    const clientKey = existing ?? [cookie(headers, oldCookieName)].find(isPlain);
    const key = clientKey ?? uuid();
    setCallerHeader(headers, key, gateOnlyHeaders, !clientKey);
    headers.set(versionKeyHeader, key);
    if (existing || !wantsCookie(request)) return undefined;
    return `${cookieName}=${key}; Path=/; Max-Age=31536000; Secure; HttpOnly; SameSite=Lax`;
  };
};

/** Our cookie's name, and the one that it had before. */
const namesOf = (name: string): readonly [own: string, bare: string] => {
  const oldCookieName = name.replace(/^__(?:Host|Secure)-/i, "");
  return [hostPrefix + oldCookieName, oldCookieName];
};

/**
 * Removes our cookie from what services set: one tier's service would choose which versions of all tiers of the host its users meet.
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

/** Only browsers keep cookies: they alone say where a fetch comes from (Fetch Metadata Request Headers). */
const wantsCookie = ({ headers }: Request): boolean => headers.has("sec-fetch-site") && !headers.has("upgrade");
