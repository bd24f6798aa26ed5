/** Which permission a call needs, and that its token has it. The local cloud's own token has all. */
import type { Context, MiddlewareHandler } from "hono";
import type { Account } from "../account/account.ts";
import { apiErrors } from "../account/api-errors.ts";
import type { PermissionName } from "../account/permission-groups.ts";
import { type ApiToken, hashOfToken, isGranted, tokenStatus } from "../account/tokens.ts";

interface Need {
  readonly path: RegExp;
  /** One of these is enough. */
  readonly read: readonly PermissionName[];
  readonly write: readonly PermissionName[];
  /** The platform's older services answer with 9109, Workers and zones' products with 10000. */
  readonly refusal: keyof Pick<typeof apiErrors, "forbidden" | "badToken">;
}

const group = (name: "DNS" | "SSL and Certificates" | "Workers Routes" | "Zone Transform Rules") => ({
  read: [`${name} Read`, `${name} Write`] as const,
  write: [`${name} Write`] as const,
  refusal: "badToken" as const,
});

const readOnly = (name: PermissionName) => ({ read: [name], write: [name], refusal: "forbidden" as const });

/** By path; the first one that matches. Other paths need a valid token and nothing more. */
const needs: readonly Need[] = [
  {
    path: /^\/user\/tokens(?!\/verify)/,
    read: ["API Tokens Read", "API Tokens Write"],
    write: ["API Tokens Write"],
    refusal: "forbidden",
  },
  {
    path: /^\/accounts\/[^/]+\/tokens(?!\/verify)/,
    read: ["Account API Tokens Read", "Account API Tokens Write"],
    write: ["Account API Tokens Write"],
    refusal: "forbidden",
  },
  { path: /^\/user$/, ...readOnly("User Details Read") },
  { path: /^\/memberships$/, ...readOnly("Memberships Read") },
  { path: /^\/accounts\/[^/]+$/, ...readOnly("Account Settings Read") },
  { path: /^\/accounts\/[^/]+\/subscriptions$/, ...readOnly("Billing Read") },
  { path: /^\/zones\/[^/]+$/, ...readOnly("Zone Read") },
  {
    path: /^\/accounts\/[^/]+\/storage\/kv\//,
    read: ["Workers KV Storage Read", "Workers KV Storage Write"],
    write: ["Workers KV Storage Write"],
    refusal: "badToken",
  },
  // Of all zones: where a token has some of them, wrangler edits the routes of each zone.
  { path: /^\/accounts\/[^/]+\/workers\/scripts\/[^/]+\/routes$/, ...group("Workers Routes") },
  {
    path: /^\/accounts\/[^/]+\/workers\/scripts\/[^/]+\/tails/,
    read: ["Workers Tail Read", "Workers Scripts Write"],
    write: ["Workers Tail Read", "Workers Scripts Write"],
    refusal: "badToken",
  },
  {
    path: /^\/accounts\/[^/]+\/workers\//,
    read: ["Workers Scripts Read", "Workers Scripts Write"],
    write: ["Workers Scripts Write"],
    refusal: "badToken",
  },
  { path: /^\/zones\/[^/]+\/workers\/routes/, ...group("Workers Routes") },
  { path: /^\/zones\/[^/]+\/rulesets/, ...group("Zone Transform Rules") },
  { path: /^\/zones\/[^/]+\/dns_records/, ...group("DNS") },
  { path: /^\/zones\/[^/]+\/ssl\//, ...group("SSL and Certificates") },
];

const callerKey = "caller";

/** The token of a call; undefined is the local cloud's own. */
export const callerOf = (c: Context): ApiToken | undefined => c.get(callerKey as never) as ApiToken | undefined;

/** Whether the call's token sees the zone. The list of zones has no others. */
export const seesZone = (c: Context, zone: string): boolean => {
  const caller = callerOf(c);
  return caller === undefined || isGranted(caller.policies, ["Zone Read"], zone);
};

/** @param own the local cloud's own token */
export const authorize =
  (own: string, account: () => Account): MiddlewareHandler =>
  async (c, next) => {
    const header = c.req.header("authorization");
    if (header === undefined) throw apiErrors.noToken();
    // As the router reads it, escapes decoded: else `/%77orkers/` needs no permission.
    const pathname = c.req.path;
    if (header !== `Bearer ${own}`) {
      const hash = hashOfToken(header.replace(/^Bearer /, ""));
      const caller = account().tokens?.find((it) => it.hash === hash);
      const isVerification = pathname.endsWith("/tokens/verify");
      if (!caller) throw isVerification ? apiErrors.unknownToken() : apiErrors.badToken();
      if (!isVerification) checkPermission(caller, c.req.method, pathname);
      c.set(callerKey as never, caller as never);
    }
    return next();
  };

const checkPermission = (caller: ApiToken, method: string, path: string): void => {
  if (tokenStatus(caller) !== "active") throw apiErrors.badToken();
  const need = needs.find((it) => it.path.test(path));
  if (!need) return;
  const groups = method === "GET" || method === "HEAD" ? need.read : need.write;
  const [, zone] = /^\/zones\/([^/]+)/.exec(path) ?? [];
  if (!isGranted(caller.policies, groups, zone)) throw apiErrors[need.refusal]();
};
