/** Asks the new version by a tester's label, before any user meets it. */
import { importJWK, SignJWT } from "jose";
import { labelAudience, labelHeader, longestLabelLife } from "../../gateway/identity/label.ts";
import { versionHeader } from "../../gateway/proxy/forwarding.ts";
import type { ControlPlan, TierFacts } from "../model/plan.ts";
import type { Rollout } from "../model/rollout.ts";
import { tiersServed } from "../model/shared-gates.ts";
import type { Smoke } from "../model/written-release.ts";

/** @param key control's private key, as JSON of a JWK */
export const labelOf = async (
  { tier, subjects }: Pick<Rollout, "tier" | "subjects">,
  plan: Pick<ControlPlan, "tiers" | "environment">,
  key: string,
  now: number,
): Promise<string> => {
  const seconds = Math.floor(now / 1000);
  const versions = Object.fromEntries(subjects.map(({ worker, canary }) => [worker, canary]));
  const tiers = [...new Set(subjects.flatMap(({ worker }) => tiersServed(plan, tier, worker)))];
  return new SignJWT({ env: plan.environment, versions, tiers })
    .setProtectedHeader({ alg: "EdDSA" })
    .setAudience(labelAudience)
    .setIssuedAt(seconds)
    .setExpirationTime(seconds + longestLabelLife)
    .sign(await importJWK(JSON.parse(key), "EdDSA"));
};

const patienceMs = 10_000;
/** The edge may take a moment to hear of a new version. */
const tries = 3;

export const smokeTest = async (
  it: Rollout,
  { base, host }: TierFacts,
  front: string | null,
  label: string,
  reach: (url: string, init: RequestInit) => Promise<Response>,
): Promise<{ readonly ok: boolean; readonly why: string }> => {
  const asked: readonly Smoke[] = it.smoke.length > 0 ? it.smoke : [{ send: "GET /" }];
  for (const { send, expect } of asked) {
    const [method = "GET", path = "/"] = send.split(" ");
    const url = `${front ?? `https://${host}`}${base === "/" ? "" : base}${path}`;
    let said = "";
    for (let count = 0; count < tries; count++) {
      said = await once(url, method, expect, it, label, reach);
      if (said === "") break;
    }
    if (said !== "") return { ok: false, why: `smoke test ${send}: ${said}` };
  }
  return { ok: true, why: `${asked.length} smoke ${asked.length === 1 ? "test has" : "tests have"} passed` };
};

/** @returns what is wrong; empty where nothing is */
const once = async (
  url: string,
  method: string,
  expect: number | undefined,
  { subjects }: Rollout,
  label: string,
  reach: (url: string, init: RequestInit) => Promise<Response>,
): Promise<string> => {
  try {
    const signal = AbortSignal.timeout(patienceMs);
    const response = await reach(url, { method, headers: { [labelHeader]: label }, redirect: "manual", signal });
    await response.body?.cancel();
    const version = response.headers.get(versionHeader);
    if (expect === undefined ? response.status >= 500 : response.status !== expect)
      return `answered ${response.status}${expect === undefined ? "" : `, not ${expect}`}`;
    if (subjects.some(({ canary }) => canary === version)) return "";
    return version === null ? "no gate answered" : `answered by ${version.slice(0, 8)}, not by the new version`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
};
