/** The package.json of the npm package, from the one of this repository. */
import { entryPoints } from "./contents.ts";

/** What is read of the repository's package.json. */
export interface RepositoryManifest {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly license: string;
  readonly engines: Readonly<Record<string, string>>;
  readonly bin: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
}

/** With provenance, npm shows from which commit and by which workflow a version was built. */
export const publishConfig = { access: "public", provenance: true } as const;

const keywords = ["api-gateway", "cloudflare-workers", "edge", "gateway", "canary-release"];

/** `create-postern` runs `postern init` of the same version. */
export const createManifest = (
  own: Record<string, unknown>,
  repository: RepositoryManifest,
): Record<string, unknown> => {
  const { private: _, ...rest } = own;
  const { version, engines } = repository;
  return { ...rest, version, engines, publishConfig, dependencies: { [repository.name]: version } };
};

/** @param files what the package holds, as patterns from its root */
export const packageManifest = (repository: RepositoryManifest, files: readonly string[]): Record<string, unknown> => ({
  name: repository.name,
  version: repository.version,
  description: repository.description,
  keywords,
  license: repository.license,
  type: "module",
  engines: repository.engines,
  bin: repository.bin,
  exports: {
    ...Object.fromEntries(
      Object.entries(entryPoints).map(([name, source]) => {
        const file = `./${source.replace(/\.ts$/, "")}`;
        return [name, { types: `${file}.d.ts`, default: `${file}.js` }];
      }),
    ),
    "./package.json": "./package.json",
  },
  files,
  publishConfig,
  dependencies: repository.dependencies,
});
