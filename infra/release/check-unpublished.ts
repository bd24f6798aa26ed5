/** Verifies that Workers without routes cannot be reached from outside. */
import type { Emitted } from "../compiler/emit/emit.ts";
import { accessOf, getWorkerResource } from "./api.ts";
import type { Target } from "./target.ts";

interface Addresses {
  readonly enabled: boolean;
  readonly previews_enabled: boolean;
}

/**
 * Wrangler has no command for this, so it is skipped without a token in the shell.
 * @throws if a Worker or its versions have an address on workers.dev
 */
export const assertUnpublished = async (target: Target, workers: readonly Emitted[]): Promise<void> => {
  const access = accessOf(target);
  if (!access) return;
  const found = await Promise.all(
    workers.map(async ({ worker, folder }) => ({
      worker,
      folder,
      at: await getWorkerResource<Addresses>(access, worker, "subdomain"),
    })),
  );
  const open = found.filter(({ at }) => at?.enabled || at?.previews_enabled);
  if (open.length === 0) return;
  const remedies = open.map(
    ({ worker, folder }) => `  ${worker}: npx wrangler triggers deploy -c ${folder}/wrangler.json`,
  );
  throw new Error(`these Workers are public on workers.dev; remove the address:\n${remedies.join("\n")}`);
};
