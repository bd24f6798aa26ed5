/** API tokens: which permission groups a token has, and on what. */
import { createHash } from "node:crypto";
import { type PermissionName, permissionGroups, permissionNameOf } from "./permission-groups.ts";

/** As the platform's API takes and shows it. A resource's value is `*`, or for an account's zones a map of them. */
export interface TokenPolicy {
  readonly effect: "allow";
  readonly resources: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
  readonly permission_groups: readonly { readonly id: string }[];
}

export interface ApiToken {
  readonly id: string;
  readonly name: string;
  /** Of its value, which only the answer to its creation has. */
  readonly hash: string;
  /** Whose it is: it is verified at another address. */
  readonly owner: "user" | "account";
  readonly issuedOn: string;
  readonly expiresOn?: string;
  readonly policies: readonly TokenPolicy[];
}

export const hashOfToken = (value: string): string => createHash("sha256").update(value).digest("hex");

export const tokenStatus = ({ expiresOn }: ApiToken, now = Date.now()): "active" | "expired" =>
  expiresOn !== undefined && Date.parse(expiresOn) <= now ? "expired" : "active";

const prefix = "com.cloudflare.api";
const everyZone = `${prefix}.account.zone.*`;

/**
 * Whether one of the policies grants one of the permission groups.
 * @param zone the zone's id for groups of zones; `*` for all zones of the account
 */
export const isGranted = (
  policies: readonly TokenPolicy[],
  groups: readonly PermissionName[],
  zone: string = "*",
): boolean =>
  policies.some(({ resources, permission_groups }) => {
    const granted = permission_groups.map(({ id }) => permissionNameOf(id));
    return groups.some((name) => granted.includes(name) && covers(resources, permissionGroups[name].scope, zone));
  });

const covers = (resources: TokenPolicy["resources"], scope: "user" | "account" | "zone", zone: string): boolean =>
  Object.entries(resources).some(([resource, value]) => {
    if (scope === "user") return resource.startsWith(`${prefix}.user.`);
    const isAccount = resource.startsWith(`${prefix}.account.`) && !resource.startsWith(`${prefix}.account.zone.`);
    if (scope === "account") return isAccount && value === "*";
    const zones = typeof value === "object" && isAccount ? Object.keys(value) : [resource];
    return zones.includes(everyZone) || zones.includes(`${prefix}.account.zone.${zone}`);
  });
