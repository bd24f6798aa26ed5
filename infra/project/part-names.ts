/** Names of filters and upstreams: which are valid, and which are keys beside a part's name in a manifest. */
import { filterSettings, upstreamSettings } from "../../functions/manifest/manifest.ts";

export type PartGroup = "filters" | "upstreams";

export const partGroups: readonly PartGroup[] = ["filters", "upstreams"];

/** `filter` of `filters`. */
export const kindOf = (group: PartGroup): "filter" | "upstream" => (group === "filters" ? "filter" : "upstream");

const maxLength = 40;

/** Why a name cannot be a part's; undefined if it can. */
export const nameFault = (name: string): string | undefined => {
  if (!/^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/.test(name))
    return `"${name}" is not a valid name; use lower case and hyphens: geo-fence`;
  if (name.length > maxLength) return `"${name}" is too long; a part's name has ${maxLength} characters at most`;
  return undefined;
};

/** Whether a name is a key beside a part's name in manifests. */
export const isReservedName = (group: PartGroup, name: string): boolean =>
  Object.hasOwn((group === "filters" ? filterSettings() : upstreamSettings()).shape, name);
