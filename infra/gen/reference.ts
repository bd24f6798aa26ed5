/** Generates the reference: a page for each part, from its first comment, schema, example and codes. */
import { stringify } from "yaml";
import * as z from "zod";
import { type Codes, gatewayCodes, upstreamCodes } from "../../functions/gateway/core/problems.ts";
import { referencesIn } from "../../functions/gateway/core/references.ts";
import type { FilterSpec, ReferenceText, UpstreamSpec } from "../../functions/gateway/part.ts";
import { consumers, environment } from "../../functions/manifest/environment.ts";
import { filterSettings, manifest, preset, upstreamSettings } from "../../functions/manifest/manifest.ts";
import { expectation, message, persona, service, testCase } from "../cases/input/language.ts";
import { problemCodes } from "../diagnostics/codes.ts";
import { projectConfig } from "../project/config.ts";
import { type GeneratedFile, generatedNotice } from "../project/generated-files.ts";
import { registry } from "../project/registry.ts";
import { auditPages } from "./audit.ts";
import { changesPage } from "./changes.ts";
import { commandsPage } from "./commands.ts";
import { problemPages } from "./problems.ts";
import { summaryOf } from "./summary.ts";

export const reference = (): GeneratedFile[] => {
  const pages = [
    ...Object.entries(registry.filters).map(([name, spec]) => partPage("filters", name, spec)),
    ...Object.entries(registry.upstreams).map(([name, spec]) => partPage("upstreams", name, spec)),
  ];
  return [
    ...pages,
    ...keyPages(),
    ...problemPages(),
    ...auditPages(),
    changesPage(),
    commandsPage(),
    indexPage(),
    codesPage(),
  ];
};

/** @param notice the page's first line */
export const partPage = (
  group: "filters" | "upstreams",
  name: string,
  spec: FilterSpec | UpstreamSpec,
  notice = generatedNotice,
): GeneratedFile => {
  const schema = z.toJSONSchema(spec.schema, { io: "input" }) as Schema;
  const traits =
    spec.kind === "upstream"
      ? "An upstream: its protocol is the key under the upstream's name."
      : `A ${spec.kind} of the phase *${spec.phase}*${spec.provides ? `; behind it, \`${spec.provides.map((it) => `${it}.…`).join("`, `")}\` can be referred to` : ""}.${shadowNote(spec)}`;
  const example =
    group === "filters"
      ? { filters: [...prerequisiteFilters(spec), { [name]: spec.example }] }
      : { upstreams: { accounts: { [name]: spec.example } } };
  return {
    file: `docs/reference/${group}/${name}.md`,
    text: `${notice}
# \`${name}\`

${summaryOf(group, name)}

${traits}

\`\`\`yaml
${stringify(example, { lineWidth: 110 }).trimEnd()}
\`\`\`

${spec.short ? `A bare value is its \`${spec.short}\`: \`${name}: ${JSON.stringify((spec.example as Record<string, unknown>)[spec.short]).replaceAll('"', "")}\`.\n\n` : ""}| key | takes | default | meaning |
| --- | --- | --- | --- |
${keyRows(schema).join("\n")}

${codeTable(spec.codes)}`,
  };
};

const shadowNote = ({ kind, enforcing }: FilterSpec): string => {
  if (kind === "layer") return "";
  return enforcing === "tightens"
    ? " Where it is shadowed, an overlay may enforce it."
    : " Where it is shadowed, a release enforces it, and no overlay: it does more than refuse.";
};

/** Filters that an example needs ahead of it: one that bounds bodies, one that knows the consumer. */
const prerequisiteFilters = (spec: FilterSpec | UpstreamSpec): object[] => {
  if (spec.kind === "upstream") return [];
  const config = spec.schema.parse(spec.example);
  return [...providing(spec.reads?.(config) ?? []), ...(spec.readsBody ? bounding() : [])];
};

/** The first filter that bounds bodies, with a bare value where it takes one. */
const bounding = (): object[] => {
  const found = Object.entries(registry.filters).find(([, it]) => it.boundsBody);
  if (!found) return [];
  const [name, { short, example }] = found;
  return [{ [name]: short === undefined ? example : example[short] }];
};

/** The first filter that binds all references that are needed. */
const providing = (needs: readonly ReferenceText[]): object[] => {
  const sources = needs.flatMap(({ text }) => referencesIn(text).map(({ source }) => source));
  const found = Object.entries(registry.filters).find(([, it]) => sources.every((one) => it.provides?.includes(one)));
  return found && sources.length > 0 ? [{ [found[0]]: found[1].example }] : [];
};

interface Schema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly enum?: readonly string[];
  readonly const?: string | number;
  readonly anyOf?: readonly Schema[];
  readonly pattern?: string;
  readonly format?: string;
  readonly description?: string;
  readonly default?: unknown;
}

const keyRows = ({ properties = {}, required = [] }: Schema, prefix = ""): string[] =>
  Object.entries(properties).flatMap(([key, it]) => {
    const name = prefix + key;
    const fallback =
      it.default !== undefined ? `\`${JSON.stringify(it.default)}\`` : required.includes(key) ? "required" : "";
    const map = typeof it.additionalProperties === "object" ? it.additionalProperties : undefined;
    const nested = it.properties ? keyRows(it, `${name}.`) : map?.properties ? keyRows(map, `${name}.<name>.`) : [];
    return [
      `| \`${name}\` | ${formatType(it)} | ${it.properties ? "" : fallback} | ${it.description ?? ""} |`,
      ...nested,
    ];
  });

const formatType = ({
  type,
  items,
  const: literal,
  enum: values,
  anyOf,
  additionalProperties,
  format,
  pattern,
}: Schema): string => {
  if (values) return values.map((value) => `\`${value}\``).join(" ");
  if (literal !== undefined) return `\`${literal}\``;
  if (anyOf) return anyOf.map((it) => (it.properties ? keysOf(it.properties) : formatType(it))).join(" or ");
  if (items) return `list of ${formatType(items)}`;
  if (type === "object" && typeof additionalProperties === "object" && Object.keys(additionalProperties).length > 0)
    return `map of ${formatType(additionalProperties)}`;
  if (type === "object") return "map";
  if (pattern?.includes("(ms|s|m|h|d)")) return "duration";
  if (pattern?.includes("KiB")) return "size";
  return format === "uri" ? "URL" : type === "string" ? "text" : (type ?? "value");
};

const keysOf = (properties: object): string => `\`{ ${Object.keys(properties).join(", ")} }\``;

const codeTable = (all: Codes): string =>
  Object.keys(all).length === 0
    ? "It refuses nothing.\n"
    : `| code | status | title |\n| --- | --- | --- |\n${Object.entries(all)
        .map(([code, { status, title }]) => `| \`${code}\` | ${status} | ${title} |`)
        .join("\n")}\n`;

/** The pages of keys of the files that people write. */
const keyPages = (): GeneratedFile[] =>
  Object.entries({
    manifest: ["A manifest", "`routes/<tier>.yaml`: one tier, one owner.", manifest()],
    preset: ["A preset", "`routes/presets/<name>.yaml`: a named list of filters.", preset()],
    environment: ["An environment", "`routes/environments/<name>.yaml`: the values of variables.", environment()],
    consumers: ["Consumers", "`routes/consumers.yaml`: who calls, and the hashes of their keys.", consumers()],
    case: [
      "A case",
      "`routes/<tier>.test.yaml`: a list of them. [Testing](../../testing.md) shows how they read.",
      testCase(),
    ],
    "case-request": ["A request of a case", "The value of `send`, if a method and a path do not suffice.", message()],
    "case-person": ["Who sends a request of a case", "The value of `as`, if a name does not suffice.", persona()],
    "case-service": ["A service of a case", "A value of `upstream`, by the name of the upstream.", service()],
    "case-outcome": ["What a case expects", "The value of `expect`.", expectation()],
    config: [
      "The configuration of a project",
      "`postern.config.ts` or `postern.config.js`, which a project may do without. [Your own project](../../filters.md#the-configuration) shows one.",
      projectConfig(),
    ],
    filter: ["Beside a filter", "The keys beside a filter's kind.", filterSettings()],
    upstream: ["Beside an upstream", "The keys beside an upstream's protocol.", upstreamSettings()],
  } as const).map(([name, [title, line, schema]]) => ({
    file: `docs/reference/keys/${name}.md`,
    text: `${generatedNotice}\n# ${title}\n\n${line}\n\n| key | takes | default | meaning |\n| --- | --- | --- | --- |\n${keyRows(
      z.toJSONSchema(schema, { io: "input", unrepresentable: "any", reused: "inline" }) as Schema,
    ).join("\n")}\n`,
  }));

const indexPage = (): GeneratedFile => ({
  file: "docs/reference/README.md",
  text: `${generatedNotice}
# Reference

| filter | what it does |
| --- | --- |
${Object.keys(registry.filters)
  .map((name) => `| [\`${name}\`](filters/${name}.md) | ${summaryOf("filters", name)} |`)
  .join("\n")}

| upstream | what it does |
| --- | --- |
${Object.keys(registry.upstreams)
  .map((name) => `| [\`${name}\`](upstreams/${name}.md) | ${summaryOf("upstreams", name)} |`)
  .join("\n")}

Keys: [manifest](keys/manifest.md), beside a [filter](keys/filter.md) and an [upstream](keys/upstream.md),
[preset](keys/preset.md), [environment](keys/environment.md), [consumers](keys/consumers.md), [configuration](keys/config.md); [case](keys/case.md), its
[request](keys/case-request.md), [person](keys/case-person.md), [service](keys/case-service.md) and [outcome](keys/case-outcome.md).

[Codes](codes.md): what refusals and problems say. [Audit](audit/README.md): what a check finds beside them. [Changes](changes.md): what a diff can tell, and how risky it is. [Paths](../paths.md): the form in which a path is matched. [Messages](../messages.md): what becomes of bodies, hosts and fields.
`,
});

const codesPage = (): GeneratedFile => ({
  file: "docs/reference/codes.md",
  text: `${generatedNotice}
# Codes

## Of answers
Every refusal and fault is a problem (RFC 9457) with one of these codes, or one of a filter's own.

${codeTable({ ...gatewayCodes, ...upstreamCodes })}
## Of manifests
What \`postern check\` can say.

| code | meaning |
| --- | --- |
${Object.entries(problemCodes)
  .map(([code, meaning]) => `| [\`${code}\`](problems/${code}.md) | ${meaning} |`)
  .join("\n")}
`,
});
