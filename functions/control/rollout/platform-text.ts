/** Why the platform did not do what a rollout needs, and what a person can do. */
import { secretsChangedCode } from "../model/changed-secrets.ts";
import type { PlatformFailure } from "../model/platform.ts";

export const platformText = (worker: string, { code, message, status }: PlatformFailure): string => {
  const remedy = remedyOf({ code, message, status });
  return `${worker}: ${message}${code ? ` (${code})` : ""}${remedy ? `; ${remedy}` : ""}`;
};

const remedyOf = ({ status, code, message }: Pick<PlatformFailure, "code" | "message" | "status">): string => {
  if (code === secretsChangedCode)
    return "redeploy the older manifest, which keeps the current secrets: npx postern deploy";
  // The actuator's own refusal: its list of Workers is older than control's.
  if (message.startsWith("the actuator may not")) return "deploy the control plane again: npx postern deploy control";
  if (status === 401 || status === 403)
    return "the actuator's CLOUDFLARE_API_TOKEN is not valid, or may not edit Workers: npx postern secrets set CLOUDFLARE_API_TOKEN";
  if (status === 404) return "it is not deployed: npx postern deploy";
  return status === 0 ? "is the actuator deployed? npx postern deploy control" : "";
};
