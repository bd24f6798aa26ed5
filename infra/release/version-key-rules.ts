/** Applies the rules that keep users on one version of the front, by the platform's REST API: wrangler has no command for it. */
import type { VersionKeyRule, ZoneRules } from "../compiler/emit/version-key-rules.ts";
import { accessOf, fetchApi, readAnswer } from "./api.ts";
import type { Target } from "./target.ts";

const phase = "rulesets/phases/http_request_late_transform/entrypoint";

/** @returns why a user's requests are divided by chance; undefined if the rules are in force */
export const applyVersionKeyRules = async (target: Target, all: readonly ZoneRules[]): Promise<string | undefined> => {
  const access = accessOf(target);
  if (!access) return "the shell has no CLOUDFLARE_API_TOKEN and CLOUDFLARE_ACCOUNT_ID";
  const call = async <T>(path: string, method = "GET", body?: object): Promise<T | "missing"> => {
    const response = await fetchApi(`${access.api}/zones${path}`, {
      method,
      headers: { authorization: `Bearer ${access.token}`, "content-type": "application/json" },
      ...(body && { body: JSON.stringify(body) }),
    });
    const { success, result, errors } = await readAnswer<T>(response, "the zone's rules");
    if (success) return result;
    if (response.status === 404) return "missing";
    const why = errors.map(({ message }) => message).join("; ") || `the platform answered ${response.status}`;
    throw new Error(response.status === 403 ? `${why}: npx postern doctor says which permission is missing` : why);
  };
  try {
    for (const it of all) await applyToZone(it, call);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
};

type Call = <T>(path: string, method?: string, body?: object) => Promise<T | "missing">;

interface Ruleset {
  readonly id: string;
  readonly rules?: readonly (VersionKeyRule & { readonly id: string; readonly enabled?: boolean })[];
}

/**
 * Rules of others stay as they are. Ours are changed where they are, if all are there in their order; otherwise they are made
 * anew behind all others, because the last one that matches decides.
 */
const applyToZone = async ({ zone, rules }: ZoneRules, call: Call): Promise<void> => {
  const zones = await call<readonly { readonly id: string }[]>(`?name=${encodeURIComponent(zone)}`);
  const id = zones === "missing" ? undefined : zones[0]?.id;
  if (id === undefined) throw new Error(`the token sees no zone ${zone}`);
  const ruleset = await call<Ruleset>(`/${id}/${phase}`);
  const all = ruleset === "missing" ? [] : (ruleset.rules ?? []);
  const ours = all.filter(({ ref }) => ref.startsWith(refPrefix(rules)));
  const isInOrder = ours.map(({ ref }) => ref).join() === rules.map(({ ref }) => ref).join();
  if (ruleset === "missing" || (ours.length === all.length && !isInOrder))
    return void (await call(`/${id}/${phase}`, "PUT", { rules }));
  const path = `/${id}/rulesets/${ruleset.id}/rules`;
  if (!isInOrder) {
    for (const old of ours) await call(`${path}/${old.id}`, "DELETE");
    for (const rule of rules) await call(path, "POST", rule);
    return;
  }
  for (const [index, known] of ours.entries()) {
    const rule = rules[index];
    if (rule && !isSame(known, rule)) await call(`${path}/${known.id}`, "PATCH", { ...rule, enabled: true });
  }
};

/** Of all rules of this front: `postern-front-version-key-`. */
const refPrefix = ([rule]: readonly VersionKeyRule[]): string => rule?.ref.replace(/[^-]*$/, "") ?? "";

const isSame = (known: VersionKeyRule & { readonly enabled?: boolean }, rule: VersionKeyRule): boolean =>
  known.enabled !== false &&
  known.expression === rule.expression &&
  JSON.stringify(known.action_parameters) === JSON.stringify(rule.action_parameters);
