/** Entries of a KV namespace: read by the REST API if there is a token in the shell, else by wrangler; written by wrangler. */
import fs from "node:fs";
import path from "node:path";
import { type ApiAccess, accessOf, fetchApi } from "../api.ts";
import type { Target } from "../target.ts";
import { wrangler, wranglerJson } from "../wrangler.ts";

export interface KvNamespace {
  readonly names: (prefix: string) => Promise<readonly string[]>;
  /** @throws if the entry does not exist */
  readonly read: (name: string) => Promise<string>;
  readonly put: (entries: readonly { readonly key: string; readonly value: string }[]) => Promise<void>;
  readonly remove: (names: readonly string[]) => Promise<void>;
}

/** @param folder for temporary files for wrangler */
export const kvNamespace = (target: Target, id: string, folder: string): KvNamespace => {
  const flags = ["--namespace-id", id, "--remote"];
  const access = accessOf(target);
  const bulk = async (what: "put" | "delete", entries: readonly unknown[], ...more: readonly string[]) => {
    if (entries.length === 0) return;
    const file = path.join(folder, `consumers.${what}.json`);
    fs.writeFileSync(file, `${JSON.stringify(entries, null, 2)}\n`);
    await wrangler(target, ["kv", "bulk", what, file, ...flags, ...more]);
  };
  return {
    names: (prefix) => (access ? namesByToken(access, id, prefix) : namesByWrangler(target, flags, prefix)),
    read: async (name) =>
      access
        ? (await fetchNamespace(access, id, `values/${encodeURIComponent(name)}`)).text()
        : wrangler(target, ["kv", "key", "get", name, "--text", ...flags]),
    put: (entries) => bulk("put", entries),
    remove: (names) => bulk("delete", names, "--force"),
  };
};

const namesByWrangler = async (target: Target, flags: readonly string[], prefix: string): Promise<string[]> => {
  const found = await wranglerJson<readonly KvKey[]>(target, ["kv", "key", "list", "--prefix", prefix, ...flags]);
  return found.map(({ name }) => name);
};

/** Pages of a thousand names each. */
const maxPages = 1000;

const namesByToken = async (access: ApiAccess, id: string, prefix: string): Promise<string[]> => {
  const names: string[] = [];
  let cursor = "";
  for (let pages = 0; pages < maxPages; pages++) {
    const query = new URLSearchParams({ prefix, limit: "1000", ...(cursor && { cursor }) });
    const { result, result_info } = (await (await fetchNamespace(access, id, `keys?${query}`)).json()) as KvPage;
    names.push(...result.map(({ name }) => name));
    cursor = result_info?.cursor ?? "";
    if (cursor === "") return names;
  }
  throw new Error(`the namespace ${id} has more entries than can be listed`);
};

interface KvKey {
  readonly name: string;
}

interface KvPage {
  readonly result: readonly KvKey[];
  readonly result_info?: { readonly cursor?: string };
}

const fetchNamespace = async ({ api, token, account }: ApiAccess, id: string, what: string): Promise<Response> => {
  const url = `${api}/accounts/${account}/storage/kv/namespaces/${id}/${what}`;
  const response = await fetchApi(url, { headers: { authorization: `Bearer ${token}` } });
  if (!response.ok)
    throw Object.assign(new Error(`the KV namespace ${id} answered ${response.status} to ${what}`), {
      ...(response.status === 403 && { remedy: "the token lacks a permission: npx postern doctor says which" }),
    });
  return response;
};
