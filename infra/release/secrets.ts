/** Where the values of secrets are: for the dev loop in a file that git ignores, elsewhere with the platform. */

import fs from "node:fs";
import path from "node:path";
import { parsed } from "../../functions/gateway/core/json.ts";
import { readTextWithin, writeWithin } from "../project/files.ts";
import { isPreview } from "./preview.ts";
import type { Target } from "./target.ts";
import { WranglerError, wrangler } from "./wrangler.ts";

export interface SecretStore {
  /** Names of those that are set for a Worker. */
  readonly names: (worker: string) => Promise<readonly string[]>;
  readonly set: (worker: string, name: string, value: string) => Promise<void>;
}

/** The environment of the dev loop. */
const local = "local";

/**
 * @param samples what the dev loop uses where nothing has been set
 * @param target where other environments have them
 */
export const secretsOf = (root: string, environment: string, samples: Values, target: Target): SecretStore => {
  if (isPreview(environment)) return previewSecrets(samples);
  return environment === local ? fileSecrets(root, samples) : platformSecrets(target);
};

/** Its Workers come and go, so nobody sets anything for them; they have samples, as the dev loop has. */
const previewSecrets = (samples: Values): SecretStore => ({
  names: async () => Object.keys(samples),
  set: async (_, name) => {
    throw new Error(`a preview has samples: write ${name} into dev.secrets of routes/environments/preview.yaml`);
  },
});

type Values = Readonly<Record<string, string>>;

/** Relative to the project. */
const secretsFile = `.secrets/${local}.json`;

const maxFileBytes = 8 * 1024 * 1024;

/**
 * The values that the dev loop and previews hand to gates; none for other environments.
 * @throws where the file is no map of texts; it says nothing of what is in it
 */
export const localSecrets = (root: string, environment: string, samples: Values): Values => {
  if (isPreview(environment)) return samples;
  return environment === local ? { ...samples, ...valuesIn(root) } : {};
};

const valuesIn = (root: string): Values => {
  const text = readTextWithin(root, secretsFile, maxFileBytes);
  if (text === undefined) return {};
  const value = parsed(text);
  if (typeof value !== "object" || value === null || Object.values(value).some((it) => typeof it !== "string"))
    throw new Error(`${secretsFile} is no JSON map of texts; remove it and set the secrets again`);
  return value as Values;
};

const fileSecrets = (root: string, samples: Values): SecretStore => ({
  names: async () => Object.keys(localSecrets(root, local, samples)),
  set: async (_, name, value) => {
    const all = { ...valuesIn(root), [name]: value };
    // Written beside and renamed, so that nobody reads half of it.
    writeWithin(root, `${secretsFile}.new`, `${JSON.stringify(all, null, 2)}\n`, { isPrivate: true });
    fs.renameSync(path.join(root, `${secretsFile}.new`), path.join(root, secretsFile));
  },
});

/** Those that the platform keeps for a Worker. */
export const platformSecrets = (target: Target): SecretStore => ({
  names: async (worker) => {
    const output = await wrangler(target, ["secret", "list", "--name", worker, "--format", "json"]).catch((error) => {
      // A Worker that is not there yet has none.
      if (error instanceof WranglerError && /Worker "[^"]*" not found/.test(error.message)) return "[]";
      throw error;
    });
    const list = parsed(output);
    return Array.isArray(list) ? list.map((it: { readonly name: string }) => it.name) : [];
  },
  set: async (worker, name, value) => void (await wrangler(target, ["secret", "put", name, "--name", worker], value)),
});
