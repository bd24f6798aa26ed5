/**
 * What may stand in an environment only while nobody but this computer reaches it: keys whose private half is public, and
 * ids that stand for one that is not there yet.
 */
import { createPrivateKey, createPublicKey } from "node:crypto";
import type { Environment } from "../../functions/manifest/environment.ts";
import { environmentNames, readEnvironment } from "../compiler/check/shared-files.ts";
import type { NamedFile } from "../compiler/model/checked.ts";
import { isPreview } from "./preview.ts";
import { areInFile } from "./secrets.ts";
import { type Target, targetOf } from "./target.ts";

/** Public keys of Postern's own samples, `routes/environments/local.yaml`: they were copied to begin with. */
export const publishedKeys: readonly string[] = [
  "aDYIVmTxdLPOt7-VbJFNCm9k8-bESnyiVCYsdpcay9Q",
  "g1iQurKfrRPxzIsyvX6RSUXJdeNt3kuA7F7mI9y-7ms",
  "ExZ7smcFH-e-rgqfO0ffXYnXM1lwuKtiWppvg9N9rzo",
  "elPCGlfZEIKT3y1VmB8UZy1A_5fsJf4Rgc4c-lBPrn8",
  "REtObN2Fo_RcsMsPxj34Qp1Yyz2k_htU9GGMRnljvp0",
];

export interface Unfit {
  /** Where it stands in the environment's file: `control.operators.ann.key`. */
  readonly at: string;
  readonly why: string;
  readonly remedy: string;
}

/** Whether an environment's keys never leave this computer. A preview uses samples, so it is one on a local cloud only. */
const isHere = (environment: string, { name }: Target): boolean =>
  name === "local" && (areInFile(environment) || isPreview(environment));

/** What has to be replaced before the environment is deployed to the target. */
export const unfitFor = (
  root: string,
  { name: env, value }: NamedFile<Environment>,
  target: Target,
): readonly Unfit[] => {
  if (isHere(env, target)) return [];
  const known = sampleKeys(root);
  const keys = [
    ["control.key", value.control?.key, `npx postern control init --rotate --env ${env}`],
    ...Object.entries(value.control?.operators ?? {}).map(
      ([name, { key }]) =>
        [`control.operators.${name}.key`, key, `npx postern operator add ${name} --rotate --env ${env}`] as const,
    ),
    ["consumers.key", value.consumers?.key, `npx postern secrets consumers-key --env ${env}`],
    ["explain.key", value.explain?.key, `npx postern explain --init --env ${env}`],
  ] as const;
  return [
    ...keys.flatMap(([at, key, remedy]) =>
      key !== undefined && known.has(canonical(key))
        ? [{ at, why: "a sample key: its private half is public", remedy }]
        : [],
    ),
    ...Object.entries(value.kv).flatMap(([name, id]) =>
      isPlaceholder(id)
        ? [
            {
              at: `kv.${name}`,
              why: "a placeholder, all zeros",
              remedy: `npx wrangler kv namespace create ${name}, and write the id that it prints`,
            },
          ]
        : [],
    ),
  ];
};

const isPlaceholder = (id: string): boolean => /^0+$/.test(id);

/** Public keys of Postern's samples, and those whose private half stands in an environment's file. */
const sampleKeys = (root: string): ReadonlySet<string> =>
  new Set([...publishedKeys, ...sampleValues(root).flatMap((value) => publicKeyIn(value) ?? [])]);

/** Values of secrets that stand in environments' files. */
const sampleValues = (root: string): readonly string[] =>
  environmentNames(root).flatMap((name) =>
    Object.values(readEnvironment(root, name, undefined).environment.value.dev.secrets),
  );

/** The public half of an Ed25519 private key as a JWK: computed, since what the JWK says of it may be wrong. */
const publicKeyIn = (value: string): string | undefined => {
  try {
    const { d } = JSON.parse(value) as { readonly d?: unknown };
    const seed = Buffer.from(String(d), "base64url");
    const key = createPrivateKey({ key: Buffer.concat([pkcs8Head, seed]), format: "der", type: "pkcs8" });
    return createPublicKey(key).export({ format: "jwk" }).x;
  } catch {
    return undefined;
  }
};

/** RFC 8410, section 7: what stands before the 32 bytes of an Ed25519 private key. */
const pkcs8Head = Buffer.from("302e020100300506032b657004220420", "hex");

/** One text for each key: base64url has spare bits, and may be padded. */
const canonical = (key: string): string => Buffer.from(key, "base64url").toString("base64url");

/** @throws if the value stands in a file of the repository, or is a private key of Postern's samples */
export const assertOwnSecret = (root: string, env: string, name: string, value: string): void => {
  if (areInFile(env)) return;
  const isSample = sampleValues(root).includes(value) || publishedKeys.includes(publicKeyIn(value) ?? "");
  if (isSample) throw new Error(`the value of ${name} is a sample that everybody knows; give ${env} one of its own`);
};

/** @throws with each of them and its remedy; nothing has been uploaded */
export const assertFit = (root: string, environment: NamedFile<Environment>, target: Target): void =>
  refuse(environment, unfitFor(root, environment, target));

/** The same of keys, for a front that wrangler deploys to Cloudflare by itself: it has no namespace. */
export const assertOwnKeys = (root: string, environment: NamedFile<Environment>): void =>
  refuse(
    environment,
    unfitFor(root, environment, targetOf("cloudflare")).filter(({ at }) => !at.startsWith("kv.")),
  );

const refuse = ({ file }: NamedFile<Environment>, unfit: readonly Unfit[]): void => {
  if (unfit.length === 0) return;
  const lines = unfit.map(({ at, why, remedy }) => `  ${at} is ${why}: ${remedy}`);
  throw new Error(`${file} cannot be deployed; nothing was uploaded:\n${lines.join("\n")}`);
};
