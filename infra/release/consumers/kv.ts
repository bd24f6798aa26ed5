/** Entries of a KV namespace: read by the platform's REST API where there is a token in the shell, else by wrangler, which writes them. */
import fs from "node:fs";
import path from "node:path";
import { type Access, accessOf, reached } from "../api.ts";
import type { Target } from "../target.ts";
import { json, wrangler } from "../wrangler.ts";

export interface Namespace {
  readonly names: (prefix: string) => Promise<readonly string[]>;
  /** @throws where there is no such entry */
  readonly read: (name: string) => Promise<string>;
  readonly put: (entries: readonly { readonly key: string; readonly value: string }[]) => Promise<void>;
  readonly remove: (names: readonly string[]) => Promise<void>;
}

/** @param folder where files for wrangler are written */
export const namespaceOf = (target: Target, id: string, folder: string): Namespace => {
  const at = ["--namespace-id", id, "--remote"];
  const access = accessOf(target);
  const bulk = async (what: "put" | "delete", entries: readonly unknown[], ...more: readonly string[]) => {
    if (entries.length === 0) return;
    const file = path.join(folder, `consumers.${what}.json`);
    fs.writeFileSync(file, `${JSON.stringify(entries, null, 2)}\n`);
    await wrangler(target, ["kv", "bulk", what, file, ...at, ...more]);
  };
  return {
    names: (prefix) => (access ? namesByToken(access, id, prefix) : namesByWrangler(target, at, prefix)),
    read: async (name) =>
      access
        ? (await asked(access, id, `values/${encodeURIComponent(name)}`)).text()
        : wrangler(target, ["kv", "key", "get", name, "--text", ...at]),
    put: (entries) => bulk("put", entries),
    remove: (names) => bulk("delete", names, "--force"),
  };
};

const namesByWrangler = async (target: Target, at: readonly string[], prefix: string): Promise<string[]> => {
  const found = await json<readonly Listed[]>(target, ["kv", "key", "list", "--prefix", prefix, ...at]);
  return found.map(({ name }) => name);
};

/** Of a thousand names each. */
const mostPages = 1000;

const namesByToken = async (access: Access, id: string, prefix: string): Promise<string[]> => {
  const names: string[] = [];
  let cursor = "";
  for (let pages = 0; pages < mostPages; pages++) {
    const query = new URLSearchParams({ prefix, limit: "1000", ...(cursor && { cursor }) });
    const { result, result_info } = (await (await asked(access, id, `keys?${query}`)).json()) as Page;
    names.push(...result.map(({ name }) => name));
    cursor = result_info?.cursor ?? "";
    if (cursor === "") return names;
  }
  throw new Error(`the namespace ${id} has more entries than can be listed`);
};

interface Listed {
  readonly name: string;
}

interface Page {
  readonly result: readonly Listed[];
  readonly result_info?: { readonly cursor?: string };
}

const asked = async ({ api, token, account }: Access, id: string, what: string): Promise<Response> => {
  const url = `${api}/accounts/${account}/storage/kv/namespaces/${id}/${what}`;
  const response = await reached(url, { headers: { authorization: `Bearer ${token}` } });
  if (!response.ok) throw new Error(`the KV namespace ${id} answered ${response.status} to ${what}`);
  return response;
};
