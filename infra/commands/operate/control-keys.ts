/** `postern control init` and `postern operator add`: the keys of the control plane, and their place in the environment. */
import os from "node:os";
import type { Environment } from "../../../functions/manifest/environment.ts";
import { name } from "../../../functions/manifest/names.ts";
import { accountId, localToken } from "../../cloud/account/access.ts";
import { type Compiled, compile } from "../../compiler/compile.ts";
import { deployToken } from "../../compiler/emit/control-workers.ts";
import { zoneOf } from "../../compiler/inputs/zones.ts";
import type { NamedFile } from "../../compiler/model/checked.ts";
import { ensurePublicKey, keyFile, privateKeyText, replaceKeyPair } from "../../project/key-pairs.ts";
import { controlPurpose, operatorPurpose, operatorVariable } from "../../release/control-keys.ts";
import { addOperatorLine, appendSection, editEnvironment } from "../../release/environment-file.ts";
import { areInFile, secretsFile, secretsOf } from "../../release/secrets.ts";
import { targetOf } from "../../release/target.ts";
import type { Outcome } from "../../terminal/outcome.ts";

export type OperatorRole = "viewer" | "operator" | "admin";

interface ControlInitOptions {
  readonly root: string;
  readonly env: string;
  readonly host?: string | undefined;
  readonly account?: string | undefined;
  readonly operator?: string | undefined;
  /** Gives control a new key. */
  readonly rotate?: true | undefined;
}

/** @throws if the environment has a control plane already, or something cannot be guessed */
export const controlInit = async ({ root, env, rotate, ...given }: ControlInitOptions): Promise<Outcome> => {
  const compiled = compile(root, env);
  const { environment } = compiled;
  const { file } = environment;
  if (rotate) return rotateControlKey(root, environment);
  if (environment.value.control)
    throw new Error(
      `${file} has a \`control:\` already; npx postern operator add <name> --env ${env} adds an operator, and --rotate gives control a new key`,
    );
  const operator = assertName(given.operator ?? nameOfUser());
  const host = given.host ?? guessHost(compiled);
  const account = given.account ?? guessAccount(env);
  const key = ensurePublicKey(root, env, controlPurpose);
  const section = `# The control plane: rollouts, overlays, telemetry. docs/deploy.md#keys
control:
  host: ${host}
  key: ${key}
  account: "${account}"
${areInFile(env) ? localAddresses : ""}  operators:
    ${operatorLine(operator, ensurePublicKey(root, env, operatorPurpose(operator)), "admin")}
`;
  const isWritten = editEnvironment(root, environment, appendSection(section), ({ control }) => control?.key === key);
  if (!isWritten)
    throw new Error(
      `${file} takes no \`control:\` with the host ${host}, the account ${account} and the operator ${operator}; give --host, --account and --operator`,
    );
  await setLocally(root, env);
  const files = [controlPurpose, operatorPurpose(operator)].map((purpose) => keyFile(env, purpose));
  return {
    exitCode: 0,
    text: `wrote ${file}: control at ${host}, and ${operator} as its admin\nwrote ${files.join(" and ")}: private keys, which git ignores; keep a copy of them in your password manager\n\nNext:\n\n${nextOfInit(env, files[0] as string)}`,
    data: { environment: env, host, account, key, operator, files },
  };
};

/** The testers' labels that the old key has signed end with the deployment. */
const rotateControlKey = async (root: string, environment: NamedFile<Environment>): Promise<Outcome> => {
  const { name: env, file, value } = environment;
  const before = value.control;
  if (!before) throw new Error(`${file} has no \`control:\`; npx postern control init --env ${env} makes it`);
  const key = replaceKeyPair(root, env, controlPurpose);
  const isWritten = editEnvironment(
    root,
    environment,
    (text) => text.replace(before.key, key),
    ({ control }) => JSON.stringify(control) === JSON.stringify({ ...before, key }),
  );
  if (!isWritten) throw new Error(`${file} does not have control's key in one place; write ${key} there`);
  await setLocally(root, env);
  const text = `wrote ${file}: control's new key\n\nNext:\n\n${nextOfInit(env, keyFile(env, controlPurpose))}`;
  return { exitCode: 0, text, data: { environment: env, key, files: [keyFile(env, controlPurpose)] } };
};

/** The dev loop and a local cloud read secrets from a file. */
const setLocally = async (root: string, env: string): Promise<void> => {
  if (!areInFile(env)) return;
  const secrets = secretsOf(root, env, {}, targetOf("local"));
  const key = privateKeyText(root, env, controlPurpose)?.trim();
  if (key) await secrets.set("", controlPurpose.variable, key);
  // With it the actuator changes deployments. A token that somebody has set stays.
  if (!(await secrets.names("")).includes(deployToken)) await secrets.set("", deployToken, localToken);
};

/** Of `postern cloud`, by default. */
const localAddresses = "  api: http://localhost:8799\n  front: http://localhost:8800\n";

const nextOfInit = (env: string, file: string): string =>
  areInFile(env)
    ? `  npx postern deploy --target local    # ${secretsFile} has its secrets\n`
    : [
        `  npx postern secrets set CONTROL_KEY --env ${env} < ${file}`,
        `  npx postern secrets set CLOUDFLARE_API_TOKEN --env ${env}    # of the actuator: Account → Workers Scripts: Edit`,
        `  npx postern deploy --env ${env}\n`,
      ].join("\n");

const operatorLine = (name: string, key: string, role: OperatorRole): string =>
  `${name}: { key: ${key}, role: ${role} }`;

/** It becomes a part of a file's name. */
const assertName = (text: string): string => {
  const { data, error } = name().safeParse(text);
  if (error) throw new Error(`"${text}": ${error.issues[0]?.message}`);
  return data;
};

const nameOfUser = (): string => {
  const name = os
    .userInfo()
    .username.toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^[^a-z]+|-+$/g, "");
  return name === "" ? "admin" : name;
};

const guessHost = ({ front, environment: { name, file, value } }: Compiled): string => {
  if (areInFile(name)) return "control.localhost";
  const host = front.tiers.flatMap(({ hosts }) => hosts)[0]?.replace(/^\*\./, "");
  if (host === undefined)
    throw new Error(`no tier of ${file} has a host; give control's own: --host control.acme.example`);
  // One level below the zone, which the zone's own certificate covers.
  const label = name === "production" ? "control" : `control-${name}`;
  return `${label}.${zoneOf(host, value.front.zones)}`;
};

const guessAccount = (env: string): string => {
  if (areInFile(env)) return accountId;
  const { CLOUDFLARE_ACCOUNT_ID: account } = process.env;
  if (account) return account;
  throw new Error(
    "the account is not known: set CLOUDFLARE_ACCOUNT_ID, or give --account <id>; npx wrangler whoami shows it",
  );
};

interface OperatorAddOptions {
  readonly root: string;
  readonly env: string;
  readonly role: OperatorRole;
  /** The public key of a pair that the operator has made. */
  readonly key?: string | undefined;
  /** Gives an operator a new key. */
  readonly rotate?: true | undefined;
}

/** @throws if the operator is there and has no new key, or is not there and should get one */
export const operatorAdd = (operator: string, options: OperatorAddOptions): Outcome => {
  assertName(operator);
  const { root, env, role, key: given, rotate } = options;
  const { environment } = compile(root, env);
  const { file, value } = environment;
  if (!value.control) throw new Error(`${file} has no \`control:\`; npx postern control init --env ${env} makes it`);
  const known = value.control.operators[operator];
  if (known && !rotate)
    throw new Error(`${file} has the operator ${operator} already; --rotate gives ${operator} a new key`);
  if (!known && rotate) throw new Error(`${file} has no operator ${operator} whose key could be rotated`);
  const purpose = operatorPurpose(operator);
  const key = given ?? (rotate ? replaceKeyPair : ensurePublicKey)(root, env, purpose);
  const isWritten = editEnvironment(
    root,
    environment,
    known ? (text) => text.replace(known.key, key) : addOperatorLine(operatorLine(operator, key, role)),
    ({ control }) => isAsBefore(value.control, control, operator) && control?.operators[operator]?.key === key,
  );
  const line = operatorLine(operator, key, known?.role ?? role);
  const keeps =
    given === undefined
      ? `${keyFile(env, purpose)} has the private key: give it to ${operator}, who keeps it there or in ${operatorVariable(operator)}\n`
      : "";
  const text = isWritten
    ? `wrote ${file}: ${line}\n${keeps}\nNext: npx postern deploy control ${areInFile(env) ? "--target local" : `--env ${env}`}\n`
    : `add this to control.operators of ${file}${known ? `, in place of ${operator}'s line` : ""}:\n\n    ${line}\n\n${keeps}`;
  return { exitCode: isWritten ? 0 : 1, text, data: { environment: env, operator, key, written: isWritten } };
};

type Control = NamedFile<Environment>["value"]["control"];

/** Whether an edit has changed nothing but the one operator. */
const isAsBefore = (before: Control, after: Control, operator: string): boolean => {
  const rest = (control: Control) =>
    JSON.stringify({
      ...control,
      operators: Object.entries(control?.operators ?? {}).filter(([it]) => it !== operator),
    });
  return rest(before) === rest(after);
};
