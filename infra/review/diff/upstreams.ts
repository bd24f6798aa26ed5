/** The services of two tiers that are the same one. */
import { isDeepStrictEqual } from "node:util";
import type { UpstreamSecurity } from "../../../functions/gateway/hooks/security.ts";
import type { CheckedUpstream } from "../../compiler/model/checked.ts";
import type { ChangeKind } from "../core/risks.ts";
import { joined, type Sentence, say } from "../core/sentence.ts";
import type { Found } from "./chains.ts";
import { spotOf } from "./grade/change.ts";
import { differences } from "./grade/differences.ts";
import { scalesOf, upstreamScales } from "./grade/parts.ts";
import { written } from "./grade/format-part.ts";
import type { TierPicture } from "./picture/model.ts";

/** Services by name, where one that is called otherwise is still the same one. */
export interface Upstreams {
  readonly found: readonly (Found & { readonly routes: readonly string[] })[];
  /** How an upstream is called now. */
  readonly now: (name: string) => string;
}

export const upstreamsDiffer = (before: TierPicture, after: TierPicture): Upstreams => {
  const [a, b] = [before.checked.upstreams, after.checked.upstreams];
  const gone = Object.keys(a).filter((it) => !Object.hasOwn(b, it));
  const added = Object.keys(b).filter((it) => !Object.hasOwn(a, it));
  const names = new Map<string, string>();
  for (const name of gone) {
    const same = added.find((it) => ![...names.values()].includes(it) && sameService(a[name], b[it]));
    if (same !== undefined) names.set(name, same);
  }
  const renamed = [...names].map(([old, now]) =>
    upstream(after, now, "upstream-renamed", say`the upstream ${old} is called ${now}`),
  );
  const isNew = added.filter((it) => ![...names.values()].includes(it));
  return {
    now: (name) => names.get(name) ?? name,
    found: [
      ...renamed,
      ...gone
        .filter((it) => !names.has(it))
        .map((it) => ({
          ...upstream(after, it, "upstream-removed", say`the upstream ${it} is gone`),
          routes: [],
          spot: spotOf(after.checked.source, [], "upstreams"),
        })),
      ...isNew.flatMap((it) => [
        upstream(after, it, "upstream-added", say`the upstream ${it} is added: ${written(b[it] as CheckedUpstream)}`),
        ...plaintext(undefined, b[it]).map((says) =>
          upstream(after, it, "upstream-plaintext", [...says, " by ", ...say`${it}`]),
        ),
      ]),
      ...Object.keys(b)
        .filter((it) => Object.hasOwn(a, it))
        .flatMap((it) => upstreamDiffers(it, a[it] as CheckedUpstream, b[it] as CheckedUpstream, after)),
    ],
  };
};

const sameService = (a: CheckedUpstream | undefined, b: CheckedUpstream | undefined): boolean =>
  a !== undefined && b !== undefined && isDeepStrictEqual(planned(a), planned(b));

const planned = ({ use, timeout, config }: CheckedUpstream): unknown => [use, timeout, config];

const upstream = ({ checked }: TierPicture, name: string, kind: ChangeKind, says: Sentence) => ({
  kind,
  says,
  spot: spotOf(checked.source, ["upstreams"], name),
  routes: checked.routes.filter(({ settings }) => leadsTo(settings, name)).map((it) => it.name),
});

const leadsTo = ({ to, cutover }: TierPicture["checked"]["routes"][number]["settings"], name: string): boolean =>
  to === name || cutover?.legacy === name || (Array.isArray(to) && to.some((it) => Object.hasOwn(it, name)));

const upstreamDiffers = (name: string, a: CheckedUpstream, b: CheckedUpstream, after: TierPicture) => {
  if (a.use !== b.use) {
    const says = say`the upstream ${name} is ${written(b)}, and was ${written(a)}`;
    return [upstream(after, name, "upstream-changed", says)];
  }
  const [before, now] = [a, b].map(({ timeout, config }) => ({ timeout, ...(config as object) }) as Settings);
  if (!before || !now) return [];
  const scales = { ...upstreamScales, ...scalesOf(b.about) };
  return [...new Set([...Object.keys(before), ...Object.keys(now)])].flatMap((key) =>
    differences({ [key]: before[key] }, { [key]: now[key] }, scales).map(({ verdict, says }) => {
      const insecure = key === factsOf(b).endpoint?.key ? plaintext(a, b) : [];
      const unsigned = key === factsOf(a).proof && factsOf(b).proof === undefined;
      const kind = unsigned
        ? "upstream-unsigned"
        : insecure.length > 0
          ? "upstream-plaintext"
          : verdict === "manifold"
            ? "limit-multiplied"
            : "upstream-changed";
      return upstream(after, name, kind, joined([say`the upstream ${name}`, says, ...insecure], ": "));
    }),
  );
};

const factsOf = ({ about, config }: CheckedUpstream): UpstreamSecurity => about.security?.(config) ?? {};

type Settings = Readonly<Record<string, unknown>>;

/** Whether calls are not encrypted that were, or that are new. */
const plaintext = (before: CheckedUpstream | undefined, after: CheckedUpstream | undefined): Sentence[] => {
  const open = (it: CheckedUpstream | undefined): boolean =>
    it !== undefined && factsOf(it).endpoint?.url.startsWith("http:") === true;
  return open(after) && !open(before) ? [["calls are not encrypted"]] : [];
};
