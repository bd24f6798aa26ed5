/** KV namespaces and their values, under `/accounts/:account/storage/kv/namespaces`. */
import { Hono } from "hono";
import type { AccountControl } from "../control/account-control.ts";
import type { Fleet } from "../fleet/fleet.ts";
import { kvBulk } from "./kv-bulk.ts";
import { kvNamespaces } from "./kv-namespaces.ts";
import { kvStore } from "./kv-store.ts";
import { kvValues } from "./kv-values.ts";

export const kv = (control: AccountControl, store: Fleet["kv"]) => {
  const values = kvStore(control, store);
  return new Hono().route("/", kvNamespaces(control)).route("/", kvValues(values)).route("/", kvBulk(values));
};
