/** Where the values of secrets are: for the dev loop in a file that git ignores, elsewhere with the platform. */

import fs from "node:fs";
import path from "node:path";
import { parsed } from "../../functions/gateway/core/json.ts";
import { textWithin, writeWithin } from "../project/files.ts";
import { isPreview } from "./preview.ts";
import type { Target } from "./target.ts";
import { WranglerError, wrangler } from "./wrangler.ts";

export interface Secrets {
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
export const secretsOf = (root: string, environment: string, samples: Values, target: Target): Secrets => {
  if (isPreview(environment)) return ofPreview(samples);
  return environment === local ? inFile(root, samples) : platformSecrets(target);
};

/** Its Workers come and go, so nobody sets anything for them; they have samples, as the dev loop has. */
const ofPreview = (samples: Values): Secrets => ({
  names: async () => Object.keys(samples),
  set: async (_, name) => {
    throw new Error(`a preview has samples: write ${name} into dev.secrets of routes/environments/preview.yaml`);
  },
});

type Values = Readonly<Record<string, string>>;

/** Relative to the project. */
const ownFile = `.secrets/${local}.json`;

const most = 8 * 1024 * 1024;

/**
 * The values that the dev loop and previews hand to gates; none for other environments.
 * @throws where the file is no map of texts; it says nothing of what is in it
 */
export const localSecrets = (root: string, environment: string, samples: Values): Values => {
  if (isPreview(environment)) return samples;
  return environment === local ? { ...samples, ...valuesIn(root) } : {};
};

const valuesIn = (root: string): Values => {
  const text = textWithin(root, ownFile, most);
  if (text === undefined) return {};
  const value = parsed(text);
  if (typeof value !== "object" || value === null || Object.values(value).some((it) => typeof it !== "string"))
    throw new Error(`${ownFile} is no JSON map of texts; remove it and set the secrets again`);
  return value as Values;
};

const inFile = (root: string, samples: Values): Secrets => ({
  names: async () => Object.keys(localSecrets(root, local, samples)),
  set: async (_, name, value) => {
    const all = { ...valuesIn(root), [name]: value };
    // Written beside and renamed, so that nobody reads half of it.
    writeWithin(root, `${ownFile}.new`, `${JSON.stringify(all, null, 2)}\n`, { isPrivate: true });
    fs.renameSync(path.join(root, `${ownFile}.new`), path.join(root, ownFile));
  },
});

/** Those that the platform keeps for a Worker. */
export const platformSecrets = (target: Target): Secrets => ({
  names: async (worker) => {
    const said = await wrangler(target, ["secret", "list", "--name", worker, "--format", "json"]).catch((error) => {
      // A Worker that is not there yet has none.
      if (error instanceof WranglerError && /Worker "[^"]*" not found/.test(error.message)) return "[]";
      throw error;
    });
    const list = parsed(said);
    return Array.isArray(list) ? list.map((it: { readonly name: string }) => it.name) : [];
  },
  set: async (worker, name, value) => void (await wrangler(target, ["secret", "put", name, "--name", worker], value)),
});
