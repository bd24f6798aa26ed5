/** Writes the manifests of an import, each route with the place that it comes from, and each file with what it lacks. */
import { Document, isMap, isSeq, type Pair, type Scalar } from "yaml";
import type { Generated } from "../../../project/generated-files.ts";
import { type Gap, gapComments } from "../imported.ts";
import type { Ranked } from "./tiers.ts";
import { distinct, nameOf, type Upstreams } from "./upstreams.ts";

interface Content {
  readonly tier: string;
  readonly hosts: readonly string[];
  readonly drafts: readonly Ranked[];
  readonly upstreams: Upstreams;
  readonly gaps: readonly Gap[];
}

export const manifestOf = ({ tier, hosts, drafts, upstreams, gaps }: Content): Generated => {
  const named = namesFor(drafts);
  const routes = Object.fromEntries(drafts.map((it, index) => [named[index], routeOf(it)]));
  const fallback = distinct("unmatched", (it) => named.includes(it));
  const used = usedBy(drafts, upstreams);
  const document = new Document({
    api: "postern/v1",
    tier,
    hosts,
    ...(Object.keys(used).length > 0 && { upstreams: used }),
    routes: { ...routes, ...(isComplete(drafts) ? {} : { [fallback]: unmatched }) },
  });
  document.commentBefore = [
    " yaml-language-server: $schema=./manifest.schema.json",
    " Imported from the Kubernetes Gateway API by `postern import gateway-api`.",
    ...gapComments(gaps).map((it) => it.slice(1)),
  ].join("\n");
  const comments = new Map(named.map((name, index) => [name, placeOf(drafts[index] as Ranked)]));
  comments.set(fallback, " What no rule matches is answered 404, whatever its method.");
  decorate(document, comments);
  return { file: `routes/${tier}.yaml`, text: document.toString({ lineWidth: 120 }) };
};

/** What only a match that is never reached would have called is not there. */
const usedBy = (drafts: readonly Ranked[], upstreams: Upstreams): Record<string, unknown> => {
  const called = new Set(drafts.flatMap(({ does: { to } }) => (Array.isArray(to) ? to.flatMap(Object.keys) : [to])));
  return Object.fromEntries(Object.entries(upstreams.written()).filter(([name]) => called.has(name)));
};

const unmatched = { match: "ANY /{rest*}", respond: { status: 404 } };

/** Whether something takes every request, or nothing is told by its method, so that a 404 comes by itself. */
const isComplete = (drafts: readonly Ranked[]): boolean =>
  drafts.length > 0 &&
  (drafts.every(({ taken }) => taken.method === "ANY") ||
    drafts.some(
      ({ taken, door }) =>
        taken.method === "ANY" &&
        taken.path === "/{rest*}" &&
        taken.headers + taken.queries === 0 &&
        Object.keys(door).length === 0,
    ));

const routeOf = ({ taken, door, rank, does }: Ranked): Record<string, unknown> => {
  const when = { ...taken.when, ...door };
  return {
    match: `${taken.method} ${taken.path}`,
    ...(Object.keys(when).length > 0 && { when }),
    ...(rank !== undefined && { rank }),
    ...does,
  };
};

const placeOf = ({ route: { resource }, path }: Ranked): string =>
  ` HTTPRoute ${resource.namespace}/${resource.name}, ${resource.file}:${resource.line(path)}`;

/** `checkout-1`, or `checkout-1-2` where a rule has several matches; a rule's own name stands for its number. */
const namesFor = (drafts: readonly Ranked[]): string[] => {
  const taken = new Set<string>();
  return drafts.map(({ route, rule, match }) => {
    const own = route.spec.rules[rule];
    const several = (own?.matches.length ?? 0) > 1 ? [String(match + 1)] : [];
    const name = nameOf([route.resource.name.slice(0, 30), own?.name ?? String(rule + 1), ...several].join("-"));
    const free = distinct(name, (it) => taken.has(it));
    taken.add(free);
    return free;
  });
};

/** Small values in one line, and a comment above each route. */
const decorate = (document: Document, comments: ReadonlyMap<string, string>): void => {
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
