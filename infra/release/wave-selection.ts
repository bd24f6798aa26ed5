/** Selects the tiers of a wave: by labels, by level, or all. */
import type { Compiled } from "../compiler/compile.ts";
import { listGates } from "../compiler/lower/gates.ts";
import { workerName } from "../compiler/lower/platform.ts";
import { warn } from "../terminal/terminal.ts";

export interface SelectionOptions {
  readonly all?: true | undefined;
  /** `app=mobile`; with several labels, all must match. */
  readonly label?: readonly string[] | undefined;
  readonly level?: string | undefined;
}

type Manifest = Compiled["tiers"][number]["checked"]["manifest"];

export interface WaveSelection {
  readonly tiers: readonly {
    readonly tier: string;
    readonly release: Manifest["release"];
    /** Its gates. */
    readonly workers: readonly string[];
  }[];
  /** The selection as it was written. */
  readonly selection: string;
}

/**
 * A tier with `entry: zone` cannot be split, so it is skipped with a warning.
 * @throws if nothing is selected, or no tier matches
 */
export const selectTiers = (
  { tiers, environment }: Pick<Compiled, "tiers" | "environment">,
  { all, label = [], level }: SelectionOptions,
  warnUser: (line: string) => void = warn,
): WaveSelection => {
  const labels = label.map(parseLabel);
  if (all ? labels.length > 0 || level !== undefined : labels.length === 0 && level === undefined)
    throw new Error("select tiers by --all, or by --label key=value and --level");
  const selection = all
    ? "--all"
    : [...label.map((it) => `--label ${it}`), ...(level === undefined ? [] : [`--level ${level}`])].join(" ");
  const manifests = tiers.map(({ checked }) => checked.manifest);
  const matching = manifests.filter(
    (it) => (level === undefined || it.level === level) && labels.every(([key, value]) => it.labels[key] === value),
  );
  const zones = matching.filter(({ entry }) => entry === "zone").map(({ tier }) => tier);
  if (zones.length > 0) warnUser(`skipped, because \`entry: zone\` cannot be split: ${zones.join(", ")}`);
  const splittable = matching.filter(({ tier }) => !zones.includes(tier));
  if (splittable.length === 0) throw new Error(`no tier matches ${selection}; ${knownLabels(manifests)}`);
  const gates = listGates(tiers);
  return {
    selection,
    tiers: splittable.map(({ tier, release }) => ({
      tier,
      release,
      workers: gates
        .filter(({ serves }) => serves.some(({ plan }) => plan.tier === tier))
        .map(({ name }) => workerName(name, environment.name)),
    })),
  };
};

const parseLabel = (text: string): readonly [string, string] => {
  const [, key, value] = /^([^=]+)=(.+)$/.exec(text) ?? [];
  if (key === undefined || value === undefined) throw new Error(`write a label as app=mobile, not ${text}`);
  return [key, value];
};

const knownLabels = (manifests: readonly Manifest[]): string => {
  const labels = new Set(
    manifests.flatMap(({ labels }) => Object.entries(labels).map(([key, value]) => `${key}=${value}`)),
  );
  return labels.size === 0 ? "no manifest has `labels`" : `labels are ${[...labels].sort().slice(0, 20).join(", ")}`;
};
