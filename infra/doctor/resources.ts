/** What stands in the account besides zones: Workers, KV namespaces and secrets, the plan; and this computer's clock. */
import { clockToleranceSeconds } from "../../functions/gateway/identity/short-token.ts";
import { noWorkerCodes } from "../release/api.ts";
import type { SecretNeeds } from "../release/secret-needs.ts";
import { type Check, missing, notProvable, ok } from "./check.ts";
import { isForbidden, type Reader } from "./client.ts";
import type { Needs } from "./needs.ts";

/** https://developers.cloudflare.com/workers/platform/limits/#account-plan-limits */
const maxWorkers = { paid: 500, free: 100 } as const;

export const checkPlan = async (reader: Reader, { workers, paid }: Needs): Promise<readonly Check[]> => {
  const what = "plan of Workers";
  const { result: plans } = await reader.get<readonly Subscription[]>(`/accounts/${reader.account}/subscriptions`);
  const isPaid = plans?.some(isWorkersPaid);
  const { result: scripts } = await reader.get<readonly { readonly id: string }[]>(
    `/accounts/${reader.account}/workers/scripts`,
  );
  const uses = paid.length > 0 ? `Workers Paid is needed for ${paid.join(", ")}` : "the Free plan has all that is used";
  const plan = isPaid
    ? ok(what, "Workers Paid")
    : paid.length === 0
      ? ok(what, uses)
      : plans === undefined || plans.some(isContract)
        ? notProvable(
            what,
            `${uses}; ${plans === undefined ? "the token cannot read it (Account → Billing: Read)" : "a contract may have it"}`,
          )
        : missing(what, uses, "subscribe to Workers Paid: Workers & Pages → Plans");
  if (scripts === undefined) return [plan];
  const others = scripts.filter(({ id }) => !workers.includes(id)).length;
  const count = others + workers.length;
  const max = isPaid === false && !plans?.some(isContract) ? maxWorkers.free : maxWorkers.paid;
  const limit = "number of Workers";
  return [
    plan,
    count > max
      ? missing(
          limit,
          `${others} of others and ${workers.length} of this environment, and ${max} are allowed`,
          "let small tiers share a gate (`isolation: shared`), or ask Cloudflare for more",
        )
      : ok(limit, `${count} of ${max}`),
  ];
};

interface Subscription {
  readonly state?: string;
  readonly rate_plan?: { readonly id?: string; readonly public_name?: string };
}

const nameOf = ({ rate_plan }: Subscription): string => `${rate_plan?.id ?? ""} ${rate_plan?.public_name ?? ""}`;
const isWorkersPaid = (it: Subscription): boolean => /workers/i.test(nameOf(it)) && !/free/i.test(nameOf(it));
const isContract = (it: Subscription): boolean => /enterprise|contract/i.test(nameOf(it));

/**
 * @param file of the environment
 * @param placeholders names of namespaces whose id deploy refuses
 * @param creates whether deploy makes a namespace of any other id, as on a local cloud
 */
export const checkNamespaces = (
  reader: Reader,
  { kv }: Needs,
  file: string,
  placeholders: readonly string[],
  creates: boolean,
): Promise<readonly Check[]> =>
  Promise.all(
    Object.entries(kv).map(async ([name, id]) => {
      const what = `KV namespace ${name}`;
      const remedy = `npx wrangler kv namespace create ${name}, and write the id that it prints into kv.${name} of ${file}`;
      if (placeholders.includes(name)) return missing(what, "its id is a placeholder", remedy);
      const answer = await reader.get<{ readonly title: string }>(
        `/accounts/${reader.account}/storage/kv/namespaces/${id}`,
      );
      if (answer.result) return ok(what, `${id} is "${answer.result.title}"`);
      if (isForbidden(answer)) return notProvable(what, "the token cannot read it (Workers KV Storage)");
      return creates
        ? ok(what, "not there yet: deploy makes it")
        : missing(what, `the account has none with the id ${id}`, remedy);
    }),
  );

/** @param inFile names of secrets that a deploy uploads from a file, of the environment `local` */
export const checkSecrets = async (
  reader: Reader,
  { wanted }: SecretNeeds,
  /** Of the commands that set a secret. */
  flags: string,
  inFile: readonly string[] | undefined,
): Promise<readonly Check[]> => {
  const users = [...wanted].flatMap(([secret, some]) => some.map(({ worker }) => ({ secret, worker })));
  const workers = [...new Set(users.map(({ worker }) => worker))];
  const names = new Map(
    await Promise.all(workers.map(async (it) => [it, inFile ?? (await secretsIn(reader, it))] as const)),
  );
  return users.map(({ secret, worker }) => {
    const what = `secret ${secret} of ${worker}`;
    const set = names.get(worker);
    if (set === undefined) return notProvable(what, "the token cannot list secrets (Workers Scripts)");
    return set.includes(secret)
      ? ok(what, "set")
      : missing(what, "not set", `npx postern secrets set ${secret}${flags}`);
  });
};

/** @returns undefined if the token may not list them; a Worker that is not deployed has none */
const secretsIn = async (reader: Reader, worker: string): Promise<readonly string[] | undefined> => {
  const path = `/accounts/${reader.account}/workers/scripts/${worker}/secrets`;
  const { result, code } = await reader.get<readonly { readonly name: string }[]>(path);
  return result?.map(({ name }) => name) ?? (noWorkerCodes.includes(code ?? 0) ? [] : undefined);
};

/** Control accepts an operator's token, and gates a tester's label, within this tolerance. */
export const checkClock = (reader: Reader): Check => {
  const what = "clock of this computer";
  const skew = reader.skewSeconds();
  if (skew === undefined) return notProvable(what, "the platform's answers have no date");
  return Math.abs(skew) > clockToleranceSeconds + 1
    ? missing(
        what,
        `${Math.abs(Math.round(skew))} s ${skew > 0 ? "ahead of" : "behind"} the platform's; tokens of operators allow ${clockToleranceSeconds} s`,
        "set the clock by NTP",
      )
    : ok(what, `within ${clockToleranceSeconds} s of the platform's`);
};
