/** Compares the upstreams of two versions of one tier. */
import { isDeepStrictEqual } from "node:util";
import type { UpstreamSecurity } from "../../../functions/gateway/hooks/security.ts";
import type { CheckedUpstream } from "../../compiler/model/checked.ts";
import type { ChangeKind } from "../core/risks.ts";
import { joinSentences, type Sentence, sentence } from "../core/sentence.ts";
import type { ChangeDetail } from "./chains.ts";
import { changeLocation } from "./grade/change.ts";
import { listDifferences } from "./grade/differences.ts";
import { formatPart } from "./grade/format-part.ts";
import { scalesOf, upstreamScales } from "./grade/parts.ts";
import type { TierModel } from "./picture/model.ts";

/** Changes of upstreams; a renamed one keeps its identity. */
export interface UpstreamChanges {
  readonly changes: readonly (ChangeDetail & { readonly routes: readonly string[] })[];
  /** The current name of an upstream. */
  readonly currentName: (name: string) => string;
}

export const compareUpstreams = (configBefore: TierModel, after: TierModel): UpstreamChanges => {
  const [a, b] = [configBefore.checked.upstreams, after.checked.upstreams];
  const removed = Object.keys(a).filter((it) => !Object.hasOwn(b, it));
  const added = Object.keys(b).filter((it) => !Object.hasOwn(a, it));
  const names = new Map<string, string>();
  for (const name of removed) {
    const counterpart = added.find((it) => ![...names.values()].includes(it) && isSameService(a[name], b[it]));
    if (counterpart !== undefined) names.set(name, counterpart);
  }
  const renamed = [...names].map(([old, now]) =>
    upstreamChange(after, now, "upstream-renamed", sentence`the upstream ${old} is renamed ${now}`),
  );
  const newNames = added.filter((it) => ![...names.values()].includes(it));
  return {
    currentName: (name) => names.get(name) ?? name,
    changes: [
      ...renamed,
      ...removed
        .filter((it) => !names.has(it))
        .map((it) => ({
          ...upstreamChange(after, it, "upstream-removed", sentence`the upstream ${it} is removed`),
          routes: [],
          location: changeLocation(after.checked.source, [], "upstreams"),
        })),
      ...newNames.flatMap((it) => [
        upstreamChange(
          after,
          it,
          "upstream-added",
          sentence`the upstream ${it} is added: ${formatPart(b[it] as CheckedUpstream)}`,
        ),
        ...newPlaintext(undefined, b[it]).map((message) =>
          upstreamChange(after, it, "upstream-plaintext", [...message, " by ", ...sentence`${it}`]),
        ),
      ]),
      ...Object.keys(b)
        .filter((it) => Object.hasOwn(a, it))
        .flatMap((it) => compareUpstream(it, a[it] as CheckedUpstream, b[it] as CheckedUpstream, after)),
    ],
  };
};

const isSameService = (a: CheckedUpstream | undefined, b: CheckedUpstream | undefined): boolean =>
  a !== undefined && b !== undefined && isDeepStrictEqual(upstreamContent(a), upstreamContent(b));

const upstreamContent = ({ use, timeout, config }: CheckedUpstream): unknown => [use, timeout, config];

const upstreamChange = ({ checked }: TierModel, name: string, kind: ChangeKind, message: Sentence) => ({
  kind,
  message,
  location: changeLocation(checked.source, ["upstreams"], name),
  routes: checked.routes.filter(({ settings }) => routesTo(settings, name)).map((it) => it.name),
});

const routesTo = ({ to, cutover }: TierModel["checked"]["routes"][number]["settings"], name: string): boolean =>
  to === name || cutover?.legacy === name || (Array.isArray(to) && to.some((it) => Object.hasOwn(it, name)));

const compareUpstream = (name: string, a: CheckedUpstream, b: CheckedUpstream, after: TierModel) => {
  if (a.use !== b.use) {
    const message = sentence`the upstream ${name} is ${formatPart(b)}; before: ${formatPart(a)}`;
    return [upstreamChange(after, name, "upstream-changed", message)];
  }
  const [configBefore, configAfter] = [a, b].map(
    ({ timeout, config }) => ({ timeout, ...(config as object) }) as UpstreamSettings,
  );
  if (!configBefore || !configAfter) return [];
  const scales = { ...upstreamScales, ...scalesOf(b.spec) };
  return [...new Set([...Object.keys(configBefore), ...Object.keys(configAfter)])].flatMap((key) =>
    listDifferences({ [key]: configBefore[key] }, { [key]: configAfter[key] }, scales).map(({ verdict, message }) => {
      const plaintextNote = key === factsOf(b).endpoint?.key ? newPlaintext(a, b) : [];
      const losesSigning = key === factsOf(a).proof && factsOf(b).proof === undefined;
      const kind = losesSigning
        ? "upstream-unsigned"
        : plaintextNote.length > 0
          ? "upstream-plaintext"
          : verdict === "multiplied"
            ? "limit-multiplied"
            : "upstream-changed";
      return upstreamChange(
        after,
        name,
        kind,
        joinSentences([sentence`the upstream ${name}`, message, ...plaintextNote], ": "),
      );
    }),
  );
};

const factsOf = ({ spec, config }: CheckedUpstream): UpstreamSecurity => spec.security?.(config) ?? {};

type UpstreamSettings = Readonly<Record<string, unknown>>;

/** A note if calls become unencrypted. */
const newPlaintext = (configBefore: CheckedUpstream | undefined, after: CheckedUpstream | undefined): Sentence[] => {
  const isPlaintext = (it: CheckedUpstream | undefined): boolean =>
    it !== undefined && factsOf(it).endpoint?.url.startsWith("http:") === true;
  return isPlaintext(after) && !isPlaintext(configBefore) ? [["calls are not encrypted"]] : [];
};
