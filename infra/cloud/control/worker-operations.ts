/** Operations on a Worker whatever its versions, on KV namespaces, API tokens, and rules and records of zones. */
import { randomBytes } from "node:crypto";
import { type Namespace, type Settings, type Worker, workersBoundTo } from "../account/account.ts";
import { apiErrors } from "../account/api-errors.ts";
import { checkRoute, checkTitle } from "../account/checks.ts";
import type { DnsRecord } from "../account/dns.ts";
import type { HeaderRule } from "../account/header-rules.ts";
import type { ApiToken } from "../account/tokens.ts";
import type { Commits } from "./commits.ts";

export interface WorkerOperations {
  readonly changeSettings: (name: string, settings: Partial<Settings>) => Promise<Worker>;
  /** @param force also where other Workers are bound to it */
  readonly remove: (name: string, force: boolean) => Promise<void>;
  readonly addNamespace: (title: string, id?: string) => Promise<Namespace>;
  readonly renameNamespace: (id: string, title: string) => Promise<Namespace>;
  readonly removeNamespace: (id: string) => Promise<void>;
  /** @param rules of all zones */
  readonly setHeaderRules: (rules: readonly HeaderRule[]) => Promise<void>;
  readonly setTokens: (tokens: readonly ApiToken[]) => Promise<void>;
  /** @param records of all zones */
  readonly setDnsRecords: (records: readonly DnsRecord[]) => Promise<void>;
}

export const workerOperations = ({ account, worker, commit }: Commits): WorkerOperations => {
  const checkNamespace = (id: string): void => {
    if (!account().namespaces.has(id)) throw apiErrors.noNamespace();
  };
  return {
    changeSettings: async (name, settings) => {
      worker(name);
      for (const { pattern } of settings.routes ?? []) checkRoute(account(), name, pattern);
      await commit({ type: "settings", worker: name, settings });
      return worker(name);
    },
    remove: async (name, force) => {
      worker(name);
      const users = workersBoundTo(account(), name);
      if (users.length > 0 && !force) throw apiErrors.referenced(name, users);
      await commit({ type: "delete", worker: name });
    },
    addNamespace: async (title, id = randomBytes(16).toString("hex")) => {
      checkTitle(account(), title);
      await commit({ type: "namespace", namespace: { id, title } });
      return { id, title };
    },
    renameNamespace: async (id, title) => {
      checkNamespace(id);
      checkTitle(account(), title);
      await commit({ type: "namespace", namespace: { id, title } });
      return { id, title };
    },
    removeNamespace: async (id) => {
      checkNamespace(id);
      await commit({ type: "namespace-delete", id });
    },
    setHeaderRules: (rules) => commit({ type: "header-rules", rules }),
    setTokens: (tokens) => commit({ type: "tokens", tokens }),
    setDnsRecords: (records) => commit({ type: "dns-records", records }),
  };
};
