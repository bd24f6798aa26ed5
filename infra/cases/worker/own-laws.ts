/** Runs the laws of the project's own parts in the runtime of the cases. Bundled only where a project has parts. */
import type { FilterModule, UpstreamModule } from "../../../functions/gateway/part.ts";
import { laws } from "../../../functions/testing/laws.ts";
import type { LawFailure, PartLaws } from "../input/batch.ts";

export type OwnPart = readonly [kind: PartLaws["kind"], name: string, module: FilterModule | UpstreamModule];

/** Of one law. It ends one that never settles. */
const timeoutMs = 10_000;

export const tryLaws = (parts: readonly OwnPart[]) => async (): Promise<PartLaws[]> => {
  const results: PartLaws[] = [];
  for (const part of parts) results.push(await lawsOf(part));
  return results;
};

const lawsOf = async ([kind, name, module]: OwnPart): Promise<PartLaws> => {
  const all = laws(name, module);
  const failures: LawFailure[] = [];
  for (const { name: law, run } of all) {
    const message = await failureOf(run);
    if (message !== undefined) failures.push({ law, message });
  }
  return { kind, name, laws: all.length, failures };
};

const failureOf = async (run: () => void | Promise<void>): Promise<string | undefined> => {
  const late = Promise.withResolvers<string>();
  const timer = setTimeout(() => late.resolve(`it does not end within ${timeoutMs / 1000} s`), timeoutMs);
  const ran = (async () => run())().then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
  try {
    return await Promise.race([ran, late.promise]);
  } finally {
    clearTimeout(timer);
  }
};
