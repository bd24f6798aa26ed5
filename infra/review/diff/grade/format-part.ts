/** A part as a manifest would have it: without what it would have anyway. */
import { isDeepStrictEqual } from "node:util";
import type { ZodType } from "zod";
import { hidden } from "../../../diagnostics/secret-literals.ts";
import { shown } from "../../core/sentence.ts";

interface Part {
  readonly use: string;
  readonly config: unknown;
  readonly about: { readonly schema: ZodType; readonly short?: string };
}

/** `rate-limit: { limit: 100/s, by: consumer }` */
export const written = ({ use, config, about }: Part): string => {
  const least = withoutDefaults(config, about.schema);
  if (typeof least !== "object" || least === null) return `${use}: ${shown(least)}`;
  const keys = Object.keys(least);
  const { short } = about;
  if (short !== undefined && keys.length === 1 && keys[0] === short)
    return `${use}: ${shown((least as Record<string, unknown>)[short])}`;
  return keys.length === 0 ? use : `${use}: ${shown(hidden(least))}`;
};

/** Leaves out each key, however deep, without which the schema makes the same of it. */
const withoutDefaults = (config: unknown, schema: ZodType): unknown => {
  const whole = structuredClone(config);
  const same = (): boolean => {
    const parsed = schema.safeParse(structuredClone(whole));
    return parsed.success && isDeepStrictEqual(parsed.data, config);
  };
  const prune = (value: unknown): void => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return;
    const map = value as Record<string, unknown>;
    for (const [key, item] of Object.entries(map)) {
      delete map[key];
      if (same()) continue;
      map[key] = item;
      prune(item);
    }
  };
  prune(whole);
  return whole;
};
