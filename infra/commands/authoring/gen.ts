/** `postern gen`: writes the generated files, or reports stale ones. */

import { registries, writeRegistries } from "../../gen/registries.ts";
import { codeRoot, isStale, writeChanged } from "../../project/generated-files.ts";
import type { Outcome } from "../../terminal/outcome.ts";

export const gen = async ({ check }: { readonly check?: true | undefined }): Promise<Outcome> => {
  if (check) {
    // Other files are generated from the loaded registries, so stale registries are reported alone.
    const early = registries().filter((it) => isStale(it, codeRoot));
    const stale = early.length > 0 ? early : (await load()).filter((it) => isStale(it, codeRoot));
    const files = stale.map(({ file }) => file);
    const text = files.length > 0 ? `stale: ${files.join(", ")}; run npm run gen` : "all that is generated is fresh";
    return { exitCode: files.length > 0 ? 1 : 0, text, data: { stale: files } };
  }
  const written = [...writeRegistries(), ...writeChanged(await load(), codeRoot)];
  return {
    exitCode: 0,
    text: written.map((file) => `wrote ${file}`).join("\n") || "nothing to write",
    data: { written },
  };
};

const load = async () => (await import("../../gen/gen.ts")).generate();
