/** Bindings of a version as uploads write them, and those that it inherits from the version before. */
import * as z from "zod";
import { apiErrors } from "./api-errors.ts";

const name = z.string().regex(/^[A-Za-z_$][\w$]{0,254}$/, "a binding's name is a JavaScript identifier");
const nameField = { name };

const bindingSchemas = {
  plain_text: z.strictObject({ ...nameField, type: z.literal("plain_text"), text: z.string() }),
  secret_text: z.strictObject({ ...nameField, type: z.literal("secret_text"), text: z.string() }),
  json: z.strictObject({ ...nameField, type: z.literal("json"), json: z.json() }),
  version_metadata: z.strictObject({ ...nameField, type: z.literal("version_metadata") }),
  kv_namespace: z.strictObject({ ...nameField, type: z.literal("kv_namespace"), namespace_id: z.string() }),
  service: z.strictObject({
    ...nameField,
    type: z.literal("service"),
    service: z.string(),
    environment: z.string().optional(),
    entrypoint: z.string().optional(),
    props: z.record(z.string(), z.json()).optional(),
  }),
  durable_object_namespace: z.strictObject({
    ...nameField,
    type: z.literal("durable_object_namespace"),
    class_name: z.string(),
    script_name: z.string().optional(),
    environment: z.string().optional(),
  }),
  analytics_engine: z.strictObject({ ...nameField, type: z.literal("analytics_engine"), dataset: z.string() }),
  ratelimit: z.strictObject({
    ...nameField,
    type: z.literal("ratelimit"),
    namespace_id: z.string().regex(/^[1-9]\d*$/, "a namespace of limits is a positive number, written as a text"),
    simple: z.strictObject({ limit: z.int().positive(), period: z.union([z.literal(10), z.literal(60)]) }),
  }),
} as const;

export type Binding = {
  readonly [K in keyof typeof bindingSchemas]: Readonly<z.output<(typeof bindingSchemas)[K]>>;
}[keyof typeof bindingSchemas];
export type BindingOf<K extends Binding["type"]> = Extract<Binding, { readonly type: K }>;

const inheritSchema = z.strictObject({
  ...nameField,
  type: z.literal("inherit"),
  old_name: z.string().optional(),
  version_id: z.string().optional(),
});

const bindingFrame = z.looseObject({ name: z.string(), type: z.string() });

/**
 * @param inputs as in an upload's metadata
 * @param keptTypes types of which the previous version's bindings are kept
 * @throws ApiError for the first invalid binding
 */
export const parseBindings = (
  inputs: readonly unknown[],
  keptTypes: readonly string[],
  previous: readonly Binding[],
): Binding[] => {
  const bindings = inputs.map((it) => parseBinding(it, previous));
  const usedNames = new Set<string>();
  for (const { name } of bindings) {
    if (usedNames.has(name)) throw apiErrors.duplicateBinding(name);
    usedNames.add(name);
  }
  return [...bindings, ...previous.filter((it) => keptTypes.includes(it.type) && !usedNames.has(it.name))];
};

const parseBinding = (input: unknown, previous: readonly Binding[]): Binding => {
  const it = bindingFrame.safeParse(input);
  if (!it.success) throw apiErrors.malformed("each binding needs a name and a type");
  const { name, type } = it.data;
  if (type === "inherit") {
    const { old_name } = parseAs(inheritSchema, input, name);
    const before = previous.find((one) => one.name === (old_name ?? name));
    if (!before) throw apiErrors.notInherited(old_name ?? name);
    return { ...before, name };
  }
  const kind = Object.hasOwn(bindingSchemas, type) ? bindingSchemas[type as Binding["type"]] : undefined;
  if (!kind)
    throw apiErrors.badBinding(
      name,
      `the local cloud binds nothing of type "${type}"; it knows ${Object.keys(bindingSchemas).join(", ")}`,
    );
  return parseAs(kind, input, name) as Binding;
};

const parseAs = <T extends z.ZodType>(schema: T, input: unknown, name: string): z.output<T> => {
  const it = schema.safeParse(input);
  if (!it.success)
    throw apiErrors.badBinding(
      name,
      it.error.issues.map(({ path, message }) => [path.join("."), message].filter(Boolean).join(": ")).join("; "),
    );
  return it.data;
};

/** @throws ApiError if no binding may have this name */
export const checkName = (input: string): void => void parseAs(name, input, input);

/** The binding without the value of a secret. */
export const withoutSecretValue = (binding: Binding): object =>
  binding.type === "secret_text" ? { name: binding.name, type: binding.type } : binding;

export const secretBindings = (bindings: readonly Binding[]): BindingOf<"secret_text">[] =>
  bindings.filter((it) => it.type === "secret_text");
