/** Signs entries of the consumers' KV namespace, if the environment names the key that gates trust. */
import { sign } from "node:crypto";
import type { ConsumerFact } from "../../../functions/gateway/core/facts.ts";
import { signedText } from "../../../functions/gateway/identity/consumer-entries.ts";
import type { Environment } from "../../../functions/manifest/environment.ts";
import type { Consumer } from "../../compiler/check/shared-files.ts";
import type { NamedFile } from "../../compiler/model/checked.ts";
import { ensurePublicKey, type KeyPurpose, signingKey } from "../../project/key-pairs.ts";

const keyPurpose: KeyPurpose = {
  name: "consumers",
  variable: "POSTERN_CONSUMERS_PRIVATE_KEY",
  action: "sign consumers with",
  command: "secrets consumers-key",
};

/** The public key; creates the pair if there is none. */
export const consumersPublicKey = (root: string, env: string): string => ensurePublicKey(root, env, keyPurpose);

/** @throws if the private key does not match the environment's public key: every gate would reject the entries */
export const signConsumers = (
  root: string,
  { name, file, value }: NamedFile<Environment>,
  consumers: readonly Consumer[],
): readonly Consumer[] => {
  if (!value.consumers || consumers.length === 0) return consumers;
  const sample = value.dev.secrets[keyPurpose.variable];
  const { x, key } = signingKey(root, name, keyPurpose, sample?.includes(value.consumers.key) ? sample : undefined);
  if (x !== value.consumers.key)
    throw new Error(`the key that signs consumers does not match \`consumers.key\` of ${file}`);
  return consumers.map((entry) => {
    const consumer = JSON.parse(entry.value) as ConsumerFact;
    const text = Buffer.from(signedText(name, entry.key, consumer));
    return {
      key: entry.key,
      value: JSON.stringify({ ...consumer, signature: sign(null, text, key).toString("base64url") }),
    };
  });
};
