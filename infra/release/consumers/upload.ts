/** Synchronizes the consumers' KV namespace with `consumers.yaml`: writes its entries and deletes removed ones. */
import type { Consumer } from "../../compiler/check/shared-files.ts";
import type { KvNamespace } from "./kv.ts";

interface UploadOptions {
  readonly environment: string;
  /** Whether gates accept only signed entries. */
  readonly signed: boolean;
}

/** Prefix of the records of which entries each environment has written. */
const recordPrefix = "postern/consumers/";
const entryPrefix = "key/";

/**
 * Writes the consumers and deletes outdated entries. If entries are signed, nobody else can write a valid one, so all others
 * are deleted. If they are not, other programs may store their own entries in the namespace, so only entries are deleted that
 * an earlier deployment of this environment wrote and that no other environment also wrote.
 */
export const uploadConsumers = async (
  namespace: KvNamespace,
  consumers: readonly Consumer[],
  { environment, signed }: UploadOptions,
): Promise<void> => {
  const record = `${recordPrefix}${environment}`;
  const recorded = await namespace.names(recordPrefix);
  const before = recorded.includes(record) ? entryNamesIn(await namespace.read(record)) : [];
  const now = consumers.map(({ key }) => key);
  if (now.length + before.length === 0 && !signed) return;
  // Recorded first: if this is interrupted, the next deployment still knows all written entries.
  const all = [...new Set([...now, ...before])];
  await namespace.put([{ key: record, value: JSON.stringify(all) }, ...consumers]);
  const existing = signed ? await namespace.names(entryPrefix) : before;
  const current = new Set(now);
  const removed = existing.filter((name) => !current.has(name));
  if (removed.length === 0) return;
  const others = new Set(signed ? [] : await entriesOfOthers(namespace, recorded, record));
  await namespace.remove(removed.filter((name) => !others.has(name)));
  await namespace.put([{ key: record, value: JSON.stringify(now) }]);
};

/** Environments that can share a namespace. */
const maxRecords = 50;

const entriesOfOthers = async (
  namespace: KvNamespace,
  recorded: readonly string[],
  own: string,
): Promise<readonly string[]> => {
  const others = recorded.filter((name) => name !== own);
  if (others.length > maxRecords)
    throw new Error(`${others.length} environments share the namespace of consumers, ${maxRecords} at most`);
  return (await Promise.all(others.map(namespace.read))).flatMap(entryNamesIn);
};

/** Any gate could have written the record, so other names are ignored. */
const entryNamesIn = (text: string): string[] => {
  try {
    const names: unknown = JSON.parse(text);
    return Array.isArray(names) ? names.filter((it) => typeof it === "string" && /^key\/[0-9a-f]{64}$/.test(it)) : [];
  } catch {
    return [];
  }
};
