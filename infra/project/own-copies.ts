/**
 * How own parts of a project import Postern: `postern/filter` and `zod` are the copies that Postern itself uses, wherever
 * npm has put others. Facts and schemas are compared by identity, so a second copy would not be recognised.
 */
import path from "node:path";
import { pathToFileURL } from "node:url";
import type { Plugin } from "esbuild";
import { codeExtension, codeRoot } from "./generated-files.ts";

/** What people who write parts import. */
const modules: Readonly<Record<string, string>> = {
  "postern/filter": `functions/authoring${codeExtension}`,
  "postern/config": `infra/project/config${codeExtension}`,
  "postern/testing": `functions/testing${codeExtension}`,
};

const names = /^(?:postern\/(?:config|filter|testing)|zod(?:\/.*)?)$/;

/** Resolves them to files, which are bundled as far as they are used. */
export const bundledCopies: Plugin = {
  name: "postern-copies",
  setup: (build) => {
    build.onResolve({ filter: names }, async ({ path: name, kind, resolveDir, pluginData }) => {
      const own = modules[name];
      if (own !== undefined) return { path: path.join(codeRoot, own), sideEffects: false };
      if (pluginData === resolving || isWithinCode(resolveDir)) return undefined;
      return build.resolve(name, { kind, resolveDir: codeRoot, pluginData: resolving });
    });
  },
};

const resolving = Symbol("resolved from Postern's own folder");

const isWithinCode = (folder: string): boolean => folder === codeRoot || folder.startsWith(codeRoot + path.sep);

/** Leaves them to Node, which has them loaded already. */
export const loadedCopies: Plugin = {
  name: "postern-copies",
  setup: (build) => {
    build.onResolve({ filter: names }, ({ path: name }) => {
      const own = modules[name];
      const url = own === undefined ? import.meta.resolve(name) : pathToFileURL(path.join(codeRoot, own)).href;
      return { path: url, external: true };
    });
  },
};
