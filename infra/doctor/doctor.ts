/** Looks at an account and its zones, and says what an environment lacks there. */
import type { Compiled } from "../compiler/compile.ts";
import { count } from "../diagnostics/report.ts";
import type { ApiAccess } from "../release/api.ts";
import { unfitFor } from "../release/sample-keys.ts";
import { secretNeeds } from "../release/secret-needs.ts";
import { areInFile, localSecrets } from "../release/secrets.ts";
import { flagOf, type Target } from "../release/target.ts";
import { type Check, missing, notProvable, ok } from "./check.ts";
import { openReader, type Reader } from "./client.ts";
import { type Needs, needsOf } from "./needs.ts";
import { checkClock, checkNamespaces, checkPlan, checkSecrets } from "./resources.ts";
import { checkPermission, checkToken, type TokenResult } from "./token.ts";
import { checkZone } from "./zones.ts";

export interface DoctorOptions {
  readonly root: string;
  readonly compiled: Compiled;
  readonly target: Target;
  readonly access: ApiAccess;
  readonly now?: () => number;
}

export const checkEnvironment = async (options: DoctorOptions): Promise<readonly Check[]> => {
  const { root, compiled, target, access, now = Date.now } = options;
  const reader = openReader(access, now);
  const token = await checkToken(reader, now());
  const unfit = unfitFor(root, compiled.environment, target);
  const namespaces = unfit.flatMap(({ at }) => (at.startsWith("kv.") ? [at.slice(3)] : []));
  const keys = unfit.filter(({ at }) => !at.startsWith("kv."));
  const before = [
    ...checkManifests(compiled),
    ...keys.map(({ at, why, remedy }) => missing(at, why, remedy)),
    token.check,
  ];
  if (!token.isValid)
    return [...before, checkClock(reader), notProvable("all else", "without a valid token nothing can be read")];
  const needs = needsOf(root, compiled);
  const isLocal = target.name === "local";
  const zones = [];
  for (const need of needs.zones) zones.push(...(await checkZone(reader, token, need, !isLocal)));
  const { name, file } = compiled.environment;
  const inFile = areInFile(name)
    ? Object.keys(localSecrets(root, name, compiled.environment.value.dev.secrets))
    : undefined;
  return [
    ...before,
    await checkAccount(reader, compiled),
    ...(await checkAccountPermissions(reader, token, needs)),
    ...zones,
    ...(await checkNamespaces(reader, needs, file, namespaces, isLocal)),
    ...(await checkSecrets(reader, secretNeeds(compiled), ` --env ${name}${flagOf(target)}`, inFile)),
    ...(await checkPlan(reader, needs)),
    checkClock(reader),
  ];
};

const checkManifests = ({ problems, environment }: Compiled): readonly Check[] =>
  problems.length === 0
    ? []
    : [
        missing(
          "manifests",
          `${count(problems.length, "problem")}; what is broken is not looked at`,
          `npx postern check --env ${environment.name}`,
        ),
      ];

/** The actuator splits versions in the account that the environment names. */
const checkAccount = async (reader: Reader, { environment: { file, value } }: Compiled): Promise<Check> => {
  const what = "account";
  const { account } = reader;
  const named = value.control?.account;
  if (named === undefined || named === account) {
    const { result } = await reader.get(`/accounts/${account}/workers/scripts`);
    return result === undefined
      ? notProvable(what, `the token cannot read the Workers of ${account}; is CLOUDFLARE_ACCOUNT_ID the right one?`)
      : ok(what, `the token reads the Workers of ${account}`);
  }
  return missing(
    what,
    `CLOUDFLARE_ACCOUNT_ID is ${account}, and control.account of ${file} is ${named}`,
    "give both the id of one account",
  );
};

const checkAccountPermissions = (reader: Reader, token: TokenResult, needs: Needs): Promise<readonly Check[]> => {
  const at = `/accounts/${reader.account}`;
  const kv = needs.writesKv
    ? ({ group: "Workers KV Storage Write", uses: "deploy of consumers" } as const)
    : ({ group: "Workers KV Storage Read", uses: "doctor" } as const);
  return Promise.all([
    checkPermission(reader, token, {
      group: "Workers Scripts Write",
      uses: "deploy, rollback, releases, secrets, preview",
      probe: `${at}/workers/scripts`,
    }),
    ...(Object.keys(needs.kv).length > 0
      ? [checkPermission(reader, token, { ...kv, probe: `${at}/storage/kv/namespaces?per_page=5` })]
      : []),
  ]);
};
