/** Formats a filter or upstream as in a manifest, without default values. */
import { isDeepStrictEqual } from "node:util";
import type { ZodType } from "zod";
import { maskSecrets } from "../../../diagnostics/secret-literals.ts";
import { formatValue } from "../../core/sentence.ts";

interface DescribedPart {
  readonly use: string;
  readonly config: unknown;
  readonly spec: { readonly schema: ZodType; readonly short?: string };
}

/** `rate-limit: { limit: 100/s, by: consumer }` */
export const formatPart = ({ use, config, spec }: DescribedPart): string => {
  const minimal = withoutDefaults(config, spec.schema);
  if (typeof minimal !== "object" || minimal === null) return `${use}: ${formatValue(minimal)}`;
  const keys = Object.keys(minimal);
  const { short } = spec;
  if (short !== undefined && keys.length === 1 && keys[0] === short)
    return `${use}: ${formatValue((minimal as Record<string, unknown>)[short])}`;
  return keys.length === 0 ? use : `${use}: ${formatValue(maskSecrets(minimal))}`;
};

/** Removes every key that does not change the parsed result. */
const withoutDefaults = (config: unknown, schema: ZodType): unknown => {
  const draft = structuredClone(config);
  const isEquivalent = (): boolean => {
    const parsed = schema.safeParse(structuredClone(draft));
    return parsed.success && isDeepStrictEqual(parsed.data, config);
  };
  const prune = (value: unknown): void => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return;
    const map = value as Record<string, unknown>;
    for (const [key, item] of Object.entries(map)) {
      delete map[key];
      if (isEquivalent()) continue;
      map[key] = item;
      prune(item);
    }
  };
  prune(draft);
  return draft;
};
