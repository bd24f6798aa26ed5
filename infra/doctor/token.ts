/** The token: whether it is valid, and which of the permissions that the commands need it has. */
import { type PermissionName, permissionGroups } from "../cloud/account/permission-groups.ts";
import { isGranted, type TokenPolicy } from "../cloud/account/tokens.ts";
import { type Check, missing, notProvable, ok } from "./check.ts";
import { isForbidden, type Reader } from "./client.ts";

interface TokenState {
  readonly id: string;
  readonly status: string;
  readonly expires_on?: string;
}

export interface TokenResult {
  readonly check: Check;
  readonly isValid: boolean;
  /** What the token may do, if it may read that. */
  readonly policies: readonly TokenPolicy[] | undefined;
}

const tokensPage = "https://dash.cloudflare.com/profile/api-tokens";
const expiresSoonMs = 7 * 24 * 3600 * 1000;

/** A token belongs to a user or to the account; each is verified at an address of its own. */
export const checkToken = async (reader: Reader, now: number): Promise<TokenResult> => {
  const what = "token";
  for (const [owner, path] of [
    ["user", "/user/tokens"],
    ["account", `/accounts/${reader.account}/tokens`],
  ] as const) {
    const { result } = await reader.get<TokenState>(`${path}/verify`);
    if (result === undefined) continue;
    const { id, status, expires_on: end } = result;
    if (status !== "active") {
      const why = `it is ${status}${end === undefined ? "" : `, since ${end}`}`;
      return { check: missing(what, why, `make a new one at ${tokensPage}`), isValid: false, policies: undefined };
    }
    const own = await reader.get<{ readonly policies: readonly TokenPolicy[] }>(`${path}/${id}`);
    const until = end === undefined ? "with no end" : `until ${end}`;
    const soon = end !== undefined && Date.parse(end) - now < expiresSoonMs;
    const why = `active, of the ${owner}, ${until}`;
    const check = soon ? missing(what, `${why}: it ends within a week`, `roll it at ${tokensPage}`) : ok(what, why);
    return { check, isValid: true, policies: own.result?.policies };
  }
  const remedy = `set CLOUDFLARE_API_TOKEN to a token of ${tokensPage}, whole and without quotes`;
  return { check: missing(what, "the platform does not know it", remedy), isValid: false, policies: undefined };
};

interface PermissionNeed {
  readonly group: PermissionName;
  /** The commands that need it. */
  readonly uses: string;
  /** A GET that the permission to read lets through; undefined if there is nothing to read yet. */
  readonly probe: string | undefined;
  readonly zone?: { readonly name: string; readonly id: string };
}

/** Whether the token has a permission: by its own policies if it may read them, else as far as a GET shows it. */
export const checkPermission = async (
  reader: Reader,
  { policies }: Pick<TokenResult, "policies">,
  { group, uses, probe, zone }: PermissionNeed,
): Promise<Check> => {
  const what = `${group}${zone === undefined ? "" : ` of ${zone.name}`}`;
  const resource = zone === undefined ? "Account" : "Zone";
  // The dashboard says Edit for Write, and leaves out what its first column says.
  const dashboardName = group
    .replace(/^Zone (?=Transform)/, "")
    .replace(/ (Read|Write)$/, (_, level) => `: ${level === "Write" ? "Edit" : "Read"}`);
  const remedy = `add ${resource} → ${dashboardName} to the token at ${tokensPage}`;
  if (policies !== undefined) {
    const isRead = group.endsWith(" Read");
    const write = group.replace(/Read$/, "Write");
    const groups = isRead && Object.hasOwn(permissionGroups, write) ? [group, write as PermissionName] : [group];
    return isGranted(policies, groups, zone?.id)
      ? ok(what, `the token's policies have it; for ${uses}`)
      : missing(what, `the token's policies lack it; for ${uses}`, remedy);
  }
  if (probe === undefined) return notProvable(what, `there is nothing to read with it; for ${uses}`);
  const answer = await reader.get(probe);
  if (isForbidden(answer))
    return missing(what, `GET is refused (code ${answer.code ?? answer.status}); for ${uses}`, remedy);
  if (answer.status >= 500) return notProvable(what, `the platform answered ${answer.status}; for ${uses}`);
  return group.endsWith(" Read")
    ? ok(what, `it reads; for ${uses}`)
    : notProvable(what, `it reads, and no GET shows that it may write; for ${uses}`);
};
