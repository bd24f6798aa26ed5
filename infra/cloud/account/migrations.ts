/**
 * Applies migrations, which add, rename and delete classes of Durable Objects.
 * https://developers.cloudflare.com/durable-objects/reference/durable-objects-migrations/
 */
import { randomBytes } from "node:crypto";
import type { ObjectClass, Worker } from "./account.ts";
import { apiErrors } from "./api-errors.ts";
import type { Migrations } from "./upload.ts";

type Step = Omit<Migrations, "new_tag" | "old_tag" | "steps">;

/** @throws ApiError if a step does not fit the classes */
export const applyMigrations = (
  before: Worker | undefined,
  { old_tag, new_tag, steps, ...single }: Migrations,
): { readonly classes: readonly ObjectClass[]; readonly migrationTag: string } => {
  if (old_tag !== before?.migrationTag)
    throw apiErrors.badMigration(
      `Migration tag precondition failed; expected tag to be '${old_tag ?? ""}' when it is actually '${before?.migrationTag ?? ""}'`,
    );
  const classes = (steps ?? [single]).reduce<readonly ObjectClass[]>(applyStep, before?.classes ?? []);
  return { classes, migrationTag: new_tag };
};

const applyStep = (classes: readonly ObjectClass[], step: Step): readonly ObjectClass[] => {
  const added = [
    ...(step.new_classes ?? []).map((className) => ({ className, sqlite: false })),
    ...(step.new_sqlite_classes ?? []).map((className) => ({ className, sqlite: true })),
  ];
  for (const { className } of added)
    if (classes.some((it) => it.className === className))
      throw apiErrors.badMigration(
        `Cannot apply new-class migration to class ${className} that is already depended on by existing Durable Objects`,
      );
  const names = new Set([...classes, ...added].map(({ className }) => className));
  for (const removedClass of [...(step.deleted_classes ?? []), ...(step.renamed_classes ?? []).map(({ from }) => from)])
    if (!names.has(removedClass))
      throw apiErrors.badMigration(`Cannot apply a migration to class ${removedClass}: it does not exist`);
  const renames = new Map((step.renamed_classes ?? []).map(({ from, to }) => [from, to]));
  return [
    ...classes
      .filter(({ className }) => !step.deleted_classes?.includes(className))
      .map((it) => ({ ...it, className: renames.get(it.className) ?? it.className })),
    ...added.map((it) => ({ ...it, id: randomBytes(16).toString("hex") })),
  ];
};
