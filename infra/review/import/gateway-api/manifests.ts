/** Renders imported manifests, with the origin of each route and the gaps of each file as comments. */
import { Document, isMap, isSeq, type Pair, type Scalar } from "yaml";
import type { GeneratedFile } from "../../../project/generated-files.ts";
import { type Gap, gapComments } from "../imported.ts";
import type { RankedDraft } from "./tiers.ts";
import { toName, type UpstreamSet, uniqueName } from "./upstreams.ts";

interface ManifestContent {
  readonly tier: string;
  readonly hosts: readonly string[];
  readonly drafts: readonly RankedDraft[];
  readonly upstreams: UpstreamSet;
  readonly gaps: readonly Gap[];
}

export const renderManifest = ({ tier, hosts, drafts, upstreams, gaps }: ManifestContent): GeneratedFile => {
  const names = routeNames(drafts);
  const routes = Object.fromEntries(drafts.map((it, index) => [names[index], toRoute(it)]));
  const fallback = uniqueName("unmatched", (it) => names.includes(it));
  const used = usedUpstreams(drafts, upstreams);
  const document = new Document({
    api: "postern/v1",
    tier,
    hosts,
    ...(Object.keys(used).length > 0 && { upstreams: used }),
    routes: { ...routes, ...(coversEverything(drafts) ? {} : { [fallback]: unmatched }) },
  });
  document.commentBefore = [
    " yaml-language-server: $schema=./manifest.schema.json",
    " Imported from the Kubernetes Gateway API by `postern import gateway-api`.",
    ...gapComments(gaps).map((it) => it.slice(1)),
  ].join("\n");
  const comments = new Map(names.map((name, index) => [name, originComment(drafts[index] as RankedDraft)]));
  comments.set(fallback, " Requests that no rule matches are answered 404, for any method.");
  formatDocument(document, comments);
  return { file: `routes/${tier}.yaml`, text: document.toString({ lineWidth: 120 }) };
};

/** Leaves out upstreams that only unreachable matches use. */
const usedUpstreams = (drafts: readonly RankedDraft[], upstreams: UpstreamSet): Record<string, unknown> => {
  const called = new Set(
    drafts.flatMap(({ settings: { to } }) => (Array.isArray(to) ? to.flatMap(Object.keys) : [to])),
  );
  return Object.fromEntries(Object.entries(upstreams.all()).filter(([name]) => called.has(name)));
};

const unmatched = { match: "ANY /{rest*}", respond: { status: 404 } };

/** Whether a route matches every request, or no route depends on the method, so that unmatched requests are 404 anyway. */
const coversEverything = (drafts: readonly RankedDraft[]): boolean =>
  drafts.length > 0 &&
  (drafts.every(({ requestMatch }) => requestMatch.method === "ANY") ||
    drafts.some(
      ({ requestMatch, address }) =>
        requestMatch.method === "ANY" &&
        requestMatch.path === "/{rest*}" &&
        requestMatch.headers + requestMatch.queries === 0 &&
        Object.keys(address).length === 0,
    ));

const toRoute = ({ requestMatch, address, rank, settings }: RankedDraft): Record<string, unknown> => {
  const when = { ...requestMatch.when, ...address };
  return {
    match: `${requestMatch.method} ${requestMatch.path}`,
    ...(Object.keys(when).length > 0 && { when }),
    ...(rank !== undefined && { rank }),
    ...settings,
  };
};

const originComment = ({ route: { resource }, path }: RankedDraft): string =>
  ` HTTPRoute ${resource.namespace}/${resource.name}, ${resource.file}:${resource.line(path)}`;

/** `checkout-1`, or `checkout-1-2` if a rule has several matches; a named rule has its name in place of the number. */
const routeNames = (drafts: readonly RankedDraft[]): string[] => {
  const usedNames = new Set<string>();
  return drafts.map(({ route, rule, match }) => {
    const ownRule = route.spec.rules[rule];
    const several = (ownRule?.matches.length ?? 0) > 1 ? [String(match + 1)] : [];
    const name = toName([route.resource.name.slice(0, 30), ownRule?.name ?? String(rule + 1), ...several].join("-"));
    const freeName = uniqueName(name, (it) => usedNames.has(it));
    usedNames.add(freeName);
    return freeName;
  });
};

/** Small values in one line, and a comment above each route. */
const formatDocument = (document: Document, comments: ReadonlyMap<string, string>): void => {
  const within = (key: string): Pair<Scalar<string>>[] => {
    const node = document.get(key);
    return isMap(node) ? (node.items as Pair<Scalar<string>>[]) : [];
  };
  const inline = (node: unknown): void => {
    if ((isMap(node) || isSeq(node)) && JSON.stringify(node).length < 90) node.flow = true;
    else if (isSeq(node)) for (const item of node.items) inline(item);
    else if (isMap(node)) for (const { value } of node.items) inline(value);
  };
  inline(document.get("hosts", true));
  for (const { value } of within("upstreams")) inline(value);
  for (const [index, { key, value }] of within("routes").entries()) {
    key.commentBefore = comments.get(key.value) ?? "";
    key.spaceBefore = index > 0;
    if (isMap(value)) for (const it of value.items) inline(it.value);
  }
};
