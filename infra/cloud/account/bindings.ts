/** What a version may be bound to, as uploads write it, and what is inherited from the version before. */
import * as z from "zod";
import { faults } from "./api-errors.ts";

const name = z.string().regex(/^[A-Za-z_$][\w$]{0,254}$/, "a binding's name is a JavaScript identifier");
const named = { name };

const kinds = {
  plain_text: z.strictObject({ ...named, type: z.literal("plain_text"), text: z.string() }),
  secret_text: z.strictObject({ ...named, type: z.literal("secret_text"), text: z.string() }),
  json: z.strictObject({ ...named, type: z.literal("json"), json: z.json() }),
  version_metadata: z.strictObject({ ...named, type: z.literal("version_metadata") }),
  kv_namespace: z.strictObject({ ...named, type: z.literal("kv_namespace"), namespace_id: z.string() }),
  service: z.strictObject({
    ...named,
    type: z.literal("service"),
    service: z.string(),
    environment: z.string().optional(),
    entrypoint: z.string().optional(),
    props: z.record(z.string(), z.json()).optional(),
  }),
  durable_object_namespace: z.strictObject({
    ...named,
    type: z.literal("durable_object_namespace"),
    class_name: z.string(),
    script_name: z.string().optional(),
    environment: z.string().optional(),
  }),
  analytics_engine: z.strictObject({ ...named, type: z.literal("analytics_engine"), dataset: z.string() }),
  ratelimit: z.strictObject({
    ...named,
    type: z.literal("ratelimit"),
    namespace_id: z.string().regex(/^[1-9]\d*$/, "a namespace of limits is a positive number, written as a text"),
    simple: z.strictObject({ limit: z.int().positive(), period: z.union([z.literal(10), z.literal(60)]) }),
  }),
} as const;

/** A binding as a version has it. */
export type Binding = { readonly [K in keyof typeof kinds]: Readonly<z.output<(typeof kinds)[K]>> }[keyof typeof kinds];
export type BindingOf<K extends Binding["type"]> = Extract<Binding, { readonly type: K }>;

const inherited = z.strictObject({
  ...named,
  type: z.literal("inherit"),
  old_name: z.string().optional(),
  version_id: z.string().optional(),
});

const typed = z.looseObject({ name: z.string(), type: z.string() });

/**
 * @param given as in an upload's metadata
 * @param keep types of which the previous version's bindings stay
 * @throws CloudFault for the first that does not fit
 */
export const bindingsOf = (
  given: readonly unknown[],
  keep: readonly string[],
  previous: readonly Binding[],
): Binding[] => {
  const bindings = given.map((it) => parsed(it, previous));
  const taken = new Set<string>();
  for (const { name } of bindings) {
    if (taken.has(name)) throw faults.twice(name);
    taken.add(name);
  }
  return [...bindings, ...previous.filter((it) => keep.includes(it.type) && !taken.has(it.name))];
};

const parsed = (given: unknown, previous: readonly Binding[]): Binding => {
  const it = typed.safeParse(given);
  if (!it.success) throw faults.malformed("each binding needs a name and a type");
  const { name, type } = it.data;
  if (type === "inherit") {
    const { old_name } = fitting(inherited, given, name);
    const before = previous.find((one) => one.name === (old_name ?? name));
    if (!before) throw faults.notInherited(old_name ?? name);
    return { ...before, name };
  }
  const kind = Object.hasOwn(kinds, type) ? kinds[type as Binding["type"]] : undefined;
  if (!kind)
    throw faults.badBinding(
      name,
      `the local cloud binds nothing of type "${type}"; it knows ${Object.keys(kinds).join(", ")}`,
    );
  return fitting(kind, given, name) as Binding;
};

const fitting = <T extends z.ZodType>(schema: T, given: unknown, name: string): z.output<T> => {
  const it = schema.safeParse(given);
  if (!it.success)
    throw faults.badBinding(
      name,
      it.error.issues.map(({ path, message }) => [path.join("."), message].filter(Boolean).join(": ")).join("; "),
    );
  return it.data;
};

/** @throws CloudFault where no binding may have this name */
export const checkName = (given: string): void => void fitting(name, given, given);

/** As others may see it: no value of a secret. */
export const shown = (binding: Binding): object =>
  binding.type === "secret_text" ? { name: binding.name, type: binding.type } : binding;

export const secretsIn = (bindings: readonly Binding[]): BindingOf<"secret_text">[] =>
  bindings.filter((it) => it.type === "secret_text");
