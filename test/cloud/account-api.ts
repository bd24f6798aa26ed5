/** The local cloud's API over an account on disk, with no machine: what it answers about Workers, zones and tokens, and runs none. */
import type http from "node:http";
import type { AddressInfo } from "node:net";
import { createAdaptorServer } from "@hono/node-server";
import { onTestFinished } from "vitest";
import { accountId, localToken } from "../../infra/cloud/account/access.ts";
import { type PermissionName, permissionGroups } from "../../infra/cloud/account/permission-groups.ts";
import { type ApiCall, createApi } from "../../infra/cloud/api/api.ts";
import { type AccountControl, openAccountControl } from "../../infra/cloud/control/account-control.ts";
import { openTails } from "../../infra/cloud/control/tails.ts";
import type { Fleet } from "../../infra/cloud/fleet/fleet.ts";
import { openJournal } from "../../infra/cloud/storage/journal.ts";
import { temporaryFolder } from "./in-process-cloud.ts";

export interface AccountApi {
  readonly api: string;
  readonly control: AccountControl;
  readonly calls: readonly ApiCall[];
  readonly close: () => void;
  /** A call with the local cloud's own token, or another one. */
  readonly call: (method: string, path: string, body?: object, token?: string) => Promise<AccountAnswer>;
}

interface AccountAnswer {
  readonly status: number;
  readonly success: boolean;
  readonly errors: readonly { readonly code: number; readonly message: string }[];
  readonly result: unknown;
}

const noMachines = { follow: async () => {}, startVersions: async () => {} } as unknown as Fleet;

export const startAccountApi = async (folder = temporaryFolder()): Promise<AccountApi> => {
  const journal = openJournal(folder);
  const control = openAccountControl(journal, noMachines, () => new Date());
  const calls: ApiCall[] = [];
  const tails = openTails(() => new Date());
  const app = createApi({ control, fleet: noMachines, tails, token: localToken, onCall: (it) => calls.push(it) });
  const server = createAdaptorServer({ fetch: app.fetch }) as http.Server;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  let isOpen = true;
  const close = () => {
    if (!isOpen) return;
    isOpen = false;
    server.closeAllConnections();
    server.close();
    journal.close();
  };
  onTestFinished(close);
  const api = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    api,
    control,
    calls,
    close,
    call: async (method, path, body, token = localToken) => {
      const response = await fetch(`${api}${path}`, {
        method,
        headers: { authorization: `Bearer ${token}` },
        ...(body && { body: body instanceof FormData ? body : JSON.stringify(body) }),
      });
      return { status: response.status, ...((await response.json()) as Omit<AccountAnswer, "status">) };
    },
  };
};

const resourceOf = (scope: "user" | "account" | "zone", zones: string): string =>
  ({ user: "com.cloudflare.api.user.u", account: `com.cloudflare.api.account.${accountId}`, zone: zones })[scope];

/** A token with these permission groups. @param zones the resource of groups of zones */
export const createToken = async (
  { call }: Pick<AccountApi, "call">,
  groups: readonly PermissionName[],
  { zones = "com.cloudflare.api.account.zone.*", owner = "user", ...more } = {},
): Promise<{ readonly id: string; readonly value: string }> => {
  const policies = groups.map((name) => ({
    effect: "allow",
    resources: { [resourceOf(permissionGroups[name].scope, zones)]: "*" },
    permission_groups: [{ id: permissionGroups[name].id }],
  }));
  const at = owner === "user" ? "/user/tokens" : `/accounts/${accountId}/tokens`;
  const { result } = await call("POST", at, { name: "of a test", policies, ...more });
  return result as { id: string; value: string };
};
