/** The rules that parts bring in their specs, each over every place where its part is used. */
import type { AuditRule, PartFinding } from "../../../functions/gateway/hooks/audit.ts";
import type { Path } from "../../diagnostics/locate.ts";
import type { Source } from "../../diagnostics/source.ts";
import { registry } from "../../project/registry.ts";
import { distinctFilters } from "./rule-kit/chains.ts";
import type { AuditTarget, RawFinding, Rule } from "./rule-kit/rule.ts";

/** Where a part is configured. */
interface Use {
  readonly source: Source;
  /** Of the entry that names the part. */
  readonly entry: Path;
  /** Of its configuration. */
  readonly at: Path;
  readonly use: string;
  /** A filter's id, or an upstream's name. */
  readonly id: string;
  readonly config: unknown;
}

const findingIn = ({ source, entry, at, use }: Use, finding: PartFinding): RawFinding => {
  const { message, remedy, related, fix } = finding;
  const location = [...at, ...finding.at];
  return {
    source,
    ...(finding.at.length === 0 ? { at: entry, key: use } : { at: location }),
    message,
    remedy,
    ...(related && { related: related.map((it) => source.related([...at, ...it.at], it.message)) }),
    ...(fix && { fix: { says: fix.says, change: { kind: "replace", at: location, text: fix.text } } }),
  };
};

const ruleOf =
  (usesIn: (subject: AuditTarget) => readonly Use[]) =>
  ({ check, ...prose }: AuditRule<unknown>): Rule => ({
    ...prose,
    check: (subject) => usesIn(subject).flatMap((use) => check(use.config, use.id).map((it) => findingIn(use, it))),
  });

/** A filter that is off does nothing, be it dangerous or not. */
const filtersUsing =
  (use: string) =>
  ({ tier }: AuditTarget): Use[] =>
    distinctFilters(tier).filter((it) => it.use === use && it.mode !== "off");

const upstreamsUsing =
  (use: string) =>
  ({ tier: { source, upstreams } }: AuditTarget): Use[] =>
    Object.entries(upstreams)
      .filter(([, it]) => it.use === use)
      .map(([id, { config }]) => {
        const entry = ["upstreams", id];
        return { source, entry, at: [...entry, use], use, id, config };
      });

export const partRules = (): Rule[] => [
  ...Object.entries(registry.filters).flatMap(([use, { audit = [] }]) => audit.map(ruleOf(filtersUsing(use)))),
  ...Object.entries(registry.upstreams).flatMap(([use, { audit = [] }]) => audit.map(ruleOf(upstreamsUsing(use)))),
];
