/**
 * Chooses the version that takes a request: an override, else the share of its version key, else chance.
 * https://developers.cloudflare.com/workers/configuration/versions-and-deployments/gradual-deployments/
 */
import { createHash } from "node:crypto";
import { parseDictionary } from "structured-headers";

/** A version of a deployment. Of two, the one with the higher number takes the lower keys. */
export interface Share {
  readonly id: string;
  readonly number: number;
  /** 0 to 100, fractions allowed; the shares of a deployment sum to 100. */
  readonly percentage: number;
}

export const overridesHeader = "cloudflare-workers-version-overrides";
export const versionKeyHeader = "cloudflare-workers-version-key";

export interface VersionChoice {
  readonly id: string;
  readonly by: "override" | "version-key" | "chance";
}

/**
 * @param worker its name, by which an override is looked up
 * @param shares one or two
 * @param headers of the request
 * @param random 0 to 1
 */
export const chooseVersion = (
  worker: string,
  shares: readonly Share[],
  headers: { readonly get: (name: string) => string | null },
  random: () => number,
): VersionChoice | undefined => {
  const overridden = parseOverride(headers.get(overridesHeader), worker);
  if (overridden !== undefined && shares.some(({ id }) => id === overridden)) return { id: overridden, by: "override" };
  const key = headers.get(versionKeyHeader);
  const id = versionAt(shares, key ? percentileOf(worker, key) : random() * 100);
  return id === undefined ? undefined : { id, by: key ? "version-key" : "chance" };
};

/**
 * The newer version takes the lower end, so that a larger share adds keys to it and removes none.
 * @param percentile 0 to 100, without 100 itself
 */
const versionAt = (shares: readonly Share[], percentile: number): string | undefined => {
  const newestFirst = shares.toSorted((a, b) => b.number - a.number);
  let end = 0;
  for (const { id, percentage } of newestFirst) {
    end += percentage;
    if (percentile < end) return id;
  }
  // Shares such as 33.3 and 66.7 may sum to a little less than 100.
  return newestFirst.findLast(({ percentage }) => percentage > 0)?.id;
};

/** Constant for a key. Each Worker distributes keys in its own way. */
export const percentileOf = (worker: string, key: string): number =>
  (createHash("sha256").update(`${worker}\0${key}`).digest().readUInt32BE(0) / 2 ** 32) * 100;

/** A header that is no dictionary overrides nothing (RFC 8941, section 3.2). */
const parseOverride = (header: string | null, worker: string): string | undefined => {
  if (header === null) return undefined;
  try {
    const [value] = parseDictionary(header).get(worker) ?? [];
    return typeof value === "string" ? value : undefined;
  } catch {
    return undefined;
  }
};
