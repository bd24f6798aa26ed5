/** Stores of secrets: a git-ignored file for the dev loop, the platform elsewhere. */

import fs from "node:fs";
import path from "node:path";
import { parsed } from "../../functions/gateway/core/json.ts";
import { readTextWithin } from "../project/files.ts";
import { writeSecret } from "../project/key-pairs.ts";
import { isPreview } from "./preview.ts";
import type { Target } from "./target.ts";
import { WranglerError, wrangler } from "./wrangler.ts";

export interface SecretStore {
  /** Names of the secrets that are set for a Worker. */
  readonly names: (worker: string) => Promise<readonly string[]>;
  readonly set: (worker: string, name: string, value: string) => Promise<void>;
}

/** The environment of the dev loop. */
const local = "local";

/** Whether the secrets are in a file, which the dev loop reads, and a deploy uploads with the code. */
export const areInFile = (environment: string): boolean => environment === local;

/**
 * @param samples values that the dev loop uses for secrets that are not set
 * @param target platform of other environments
 */
export const secretsOf = (root: string, environment: string, samples: Values, target: Target): SecretStore => {
  if (isPreview(environment)) return previewSecrets(samples);
  return environment === local ? fileSecrets(root, samples) : platformSecrets(target);
};

/** A preview is short-lived and uses the samples. */
const previewSecrets = (samples: Values): SecretStore => ({
  names: async () => Object.keys(samples),
  set: async (_, name) => {
    throw new Error(`a preview uses samples: write ${name} into dev.secrets of routes/environments/preview.yaml`);
  },
});

type Values = Readonly<Record<string, string>>;

/** Relative to the project. */
export const secretsFile = `.secrets/${local}.json`;

const maxFileBytes = 8 * 1024 * 1024;

/**
 * The secrets' values for the dev loop and previews; none for other environments.
 * @throws if the file is not a map of strings; the message contains no value
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
    throw new Error(`${secretsFile} is not a JSON map of strings; remove it and set the secrets again`);
  return value as Values;
};

const fileSecrets = (root: string, samples: Values): SecretStore => ({
  names: async () => Object.keys(localSecrets(root, local, samples)),
  set: async (_, name, value) => {
    const all = { ...valuesIn(root), [name]: value };
    // Written to a new file and renamed, so that no reader sees a partial file.
    writeSecret(root, `${secretsFile}.new`, `${JSON.stringify(all, null, 2)}\n`);
    fs.renameSync(path.join(root, `${secretsFile}.new`), path.join(root, secretsFile));
  },
});

/** The platform's secrets of a Worker. */
export const platformSecrets = (target: Target): SecretStore => ({
  names: async (worker) => {
    const output = await wrangler(target, ["secret", "list", "--name", worker, "--format", "json"]).catch((error) => {
      // A Worker that does not exist has no secrets.
      if (error instanceof WranglerError && /Worker "[^"]*" not found/.test(error.output)) return "[]";
      throw error;
    });
    const list = parsed(output);
    return Array.isArray(list) ? list.map((it: { readonly name: string }) => it.name) : [];
  },
  set: async (worker, name, value) => void (await wrangler(target, ["secret", "put", name, "--name", worker], value)),
});
