/** Smoke tests: requests to the new version with a tester's label, before any user reaches it. */
import { importJWK, SignJWT } from "jose";
import { labelAudience, labelHeader, maxLabelLifeSeconds } from "../../gateway/identity/label.ts";
import { versionHeader } from "../../gateway/proxy/forwarding.ts";
import type { ControlPlan, ReleaseFacts } from "../model/plan.ts";
import type { SmokeRequest } from "../model/release-config.ts";
import type { Rollout } from "../model/rollout.ts";
import { tiersServed } from "../model/shared-gates.ts";

/** The label of a tester of a rollout's new version. @param key control's private key, as JSON of a JWK */
export const testLabel = (
  { tier, subjects }: Pick<Rollout, "tier" | "subjects">,
  plan: Pick<ControlPlan, "tiers" | "environment">,
  key: string,
  now: number,
): Promise<string> => {
  const tiers = [...new Set(subjects.flatMap(({ worker }) => tiersServed(plan, tier, worker)))];
  return signLabel(subjects, tiers, plan.environment, key, now);
};

/**
 * Signs a tester's label.
 * @param subjects whose new versions the front selects; at least one
 * @param tiers in which the bearer is a tester
 * @param key control's private key, as JSON of a JWK
 */
export const signLabel = async (
  subjects: Rollout["subjects"],
  tiers: readonly string[],
  environment: string,
  key: string,
  now: number,
): Promise<string> => {
  const seconds = Math.floor(now / 1000);
  const versions = Object.fromEntries(subjects.map(({ worker, canary }) => [worker, canary]));
  return new SignJWT({ env: environment, versions, tiers })
    .setProtectedHeader({ alg: "EdDSA" })
    .setAudience(labelAudience)
    .setIssuedAt(seconds)
    .setExpirationTime(seconds + maxLabelLifeSeconds)
    .sign(await importJWK(JSON.parse(key), "EdDSA"));
};

const timeoutMs = 10_000;
/** A new version may take a moment to reach the edge. */
const maxAttempts = 3;

/** @param front the address of the front, in which `{host}` stands for the tier's host; null for the host itself */
export const smokeTest = async (
  it: Rollout,
  { base, host }: ReleaseFacts,
  front: string | null,
  label: string,
  sendRequest: (url: string, init: RequestInit) => Promise<Response>,
): Promise<{ readonly ok: boolean; readonly why: string }> => {
  const requests: readonly SmokeRequest[] = it.smoke.length > 0 ? it.smoke : [{ send: "GET /" }];
  for (const { send, expect } of requests) {
    const [method = "GET", path = "/"] = send.split(" ");
    const url = `${(front ?? "https://{host}").replace("{host}", host)}${base === "/" ? "" : base}${path}`;
    let failure = "";
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      failure = await attemptSmokeTest(url, method, expect, it, label, sendRequest);
      if (failure === "") break;
    }
    if (failure !== "") return { ok: false, why: `smoke test ${send}: ${failure}` };
  }
  return { ok: true, why: `${requests.length} smoke ${requests.length === 1 ? "test has" : "tests have"} passed` };
};

/** @returns the failure; empty if the test passed */
const attemptSmokeTest = async (
  url: string,
  method: string,
  expect: number | undefined,
  { subjects }: Rollout,
  label: string,
  sendRequest: (url: string, init: RequestInit) => Promise<Response>,
): Promise<string> => {
  try {
    const signal = AbortSignal.timeout(timeoutMs);
    const response = await sendRequest(url, { method, headers: { [labelHeader]: label }, redirect: "manual", signal });
    await response.body?.cancel();
    const version = response.headers.get(versionHeader);
    if (expect === undefined ? response.status >= 500 : response.status !== expect)
      return `answered ${response.status}${expect === undefined ? "" : `, not ${expect}`}`;
    if (subjects.some(({ canary }) => canary === version)) return "";
    return version === null ? "no gate answered" : `answered by ${version.slice(0, 8)}, not by the new version`;
  } catch (error) {
    if (error instanceof Error && error.name === "TimeoutError") return `no answer in ${timeoutMs / 1000} s`;
    return error instanceof Error ? error.message : String(error);
  }
};
