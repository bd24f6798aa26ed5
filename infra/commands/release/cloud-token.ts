/** `postern cloud token`: makes a token of a local cloud that has only some permission groups. */

import { accountId, localToken } from "../../cloud/account/access.ts";
import {
  isPermissionName,
  type PermissionName,
  type PermissionScope,
  permissionGroups,
} from "../../cloud/account/permission-groups.ts";
import { zoneId } from "../../cloud/account/zone-id.ts";
import { existing } from "../../diagnostics/schema-issues.ts";
import { docsPage } from "../../project/project.ts";
import { fetchApi, readAnswer } from "../../release/api.ts";
import { targetOf, variablesOf } from "../../release/target.ts";
import type { Outcome } from "../../terminal/outcome.ts";

interface CloudTokenOptions {
  readonly target: string;
  readonly zone?: readonly string[] | undefined;
}

/** @throws if a group has no meaning in a local cloud, or none answers */
export const cloudToken = async (
  names: readonly string[],
  { target, zone: zones }: CloudTokenOptions,
): Promise<Outcome> => {
  const groups = names.map(groupNamed);
  const { CLOUDFLARE_API_BASE_URL: api } = targetOf(target).variables;
  if (api === undefined) throw new Error("--target takes the URL of a local cloud; make tokens of Cloudflare there");
  const policies = [...Map.groupBy(groups, (name) => permissionGroups[name].scope)].map(([scope, some]) => ({
    effect: "allow",
    resources: resourcesOf(scope, zones),
    permission_groups: some.map((name) => ({ id: permissionGroups[name].id })),
  }));
  const response = await fetchApi(`${api}/user/tokens`, {
    method: "POST",
    headers: { authorization: `Bearer ${localToken}` },
    body: JSON.stringify({ name: groups.join(", ").slice(0, 120), policies }),
  });
  const what = "cannot make a token";
  const { success, result, errors } = await readAnswer<{ readonly value: string }>(response, what);
  if (!success) throw new Error(`${what}: ${errors.map(({ message }) => message).join("; ")}`);
  const variables = variablesOf(api, result.value);
  const text = Object.entries(variables).map(([name, value]) => `export ${name}=${value}\n`);
  return { exitCode: 0, text: text.join(""), data: { token: result.value, groups, variables } };
};

const groupNamed = (name: string): PermissionName => {
  if (isPermissionName(name)) return name;
  throw new Error(
    `there is no permission group "${name}"; ${existing(name, Object.keys(permissionGroups), `${docsPage("docs/cloud.md#tokens")} lists them`)}`,
  );
};

const resourcesOf = (scope: PermissionScope, zones: readonly string[] | undefined): Record<string, string> => {
  if (scope === "user") return { "com.cloudflare.api.user.*": "*" };
  if (scope === "account") return { [`com.cloudflare.api.account.${accountId}`]: "*" };
  const ids = zones?.map(zoneId) ?? ["*"];
  return Object.fromEntries(ids.map((id) => [`com.cloudflare.api.account.zone.${id}`, "*"]));
};
