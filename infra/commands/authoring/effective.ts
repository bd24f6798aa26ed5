/** `postern effective`: shows the whole pipeline of a tier or a route, each value with the line that it comes from. */
import { stringify } from "yaml";
import { type Compiled, compile, manifestFiles } from "../../compiler/compile.ts";
import { renderProblems } from "../../diagnostics/report.ts";
import { existing } from "../../diagnostics/schema-issues.ts";
import { maskSecrets } from "../../diagnostics/secret-literals.ts";
import { readProjectFile, sourceOf } from "../../diagnostics/source.ts";
import { createDocsLookup } from "../../review/effective/docs-lookup.ts";
import { describeTier, type Effective } from "../../review/effective/effective.ts";
import type { EffectiveValue } from "../../review/effective/entries.ts";
import { expandManifest } from "../../review/effective/expand.ts";
import { renderEffective } from "../../review/effective/human.ts";
import type { Outcome } from "../../terminal/outcome.ts";

interface EffectiveOptions {
  readonly root: string;
  readonly env: string;
  readonly yaml?: true | undefined;
}

/** @param name `wallet`, or `wallet/balance` */
export const effective = (name: string, { root, env, yaml }: EffectiveOptions): Outcome => {
  const [tierName = "", route, ...more] = name.split("/");
  if (more.length > 0) throw new Error(`"${name}" is not a route; write <tier>/<route>`);
  const compiled = compile(root, env);
  const file = `routes/${tierName}.yaml`;
  const tier = compiled.tiers.find(({ checked }) => checked.source.file === file);
  if (!tier) return brokenOutcome(root, compiled, tierName, file);
  const names = tier.checked.routes.map((it) => it.name);
  if (route !== undefined && !names.includes(route))
    throw new Error(`${tierName} has no route "${route}"; ${existing(route, names, "npx postern routes lists them")}`);
  const environment = sourceOf(compiled.environment.file, readProjectFile(root, compiled.environment.file));
  const it = describeTier(tier, { environment, docsLookup: createDocsLookup() }, route);
  return {
    exitCode: 0,
    text: yaml ? manifest(expandManifest(tier, route), name, env) : renderEffective(it, env, route),
    data: dataOf(it, env),
  };
};

/** Reports the problems of a tier that is invalid. */
const brokenOutcome = (root: string, compiled: Compiled, tier: string, file: string): Outcome => {
  const files = manifestFiles(root);
  const names = files.map((it) => it.slice("routes/".length, -".yaml".length));
  if (!names.includes(tier))
    throw new Error(`there is no tier "${tier}"; ${existing(tier, names, "npx postern routes lists them")}`);
  const own = compiled.problems.filter((it) => it.file === file || !files.includes(it.file));
  return { exitCode: 1, text: renderProblems(own, compiled), data: { problems: own } };
};

const manifest = (value: Record<string, unknown>, name: string, env: string): string => {
  const safe = maskSecrets(value);
  const isWhole = JSON.stringify(safe) === JSON.stringify(value);
  const head = `# ${name} with every default written out, as it runs in ${env}: npx postern effective ${name} --env ${env} --yaml\n`;
  const warning = "# Values that look like secrets are hidden (•••), so this manifest does not run as it is.\n";
  return `${head}${isWhole ? "" : warning}${stringify(safe, { lineWidth: 120, aliasDuplicateObjects: false })}`;
};

const dataOf = ({ entries, shared, upstreams, routes, ...it }: Effective, environment: string) => ({
  environment,
  ...it,
  settings: entries.map(settingData),
  filters: shared.map(withValues),
  upstreams: upstreams.map(withValues),
  routes: routes.map(({ filters, ...route }) => ({ ...withValues(route), filters: filters.map(withValues) })),
});

const withValues = <T extends { readonly entries: readonly EffectiveValue[] }>({ entries, ...it }: T) => ({
  ...it,
  settings: entries.map(settingData),
});

const settingData = ({ path, value, isDefault, at, variables }: EffectiveValue) => ({
  key: path.join("."),
  value,
  default: isDefault,
  at,
  variables,
});
