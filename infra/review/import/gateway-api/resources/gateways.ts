/** Reads a Gateway: its listeners, and findings for everything without an equivalent. */
import type { z } from "zod";
import type { Resource } from "./documents.ts";
import type { ReportFinding } from "./findings.ts";
import { hostProblem, normalizeHost } from "./hostnames.ts";
import type { GatewayResource } from "./resources.ts";
import type { gateway } from "./schema.ts";

export const readGateway = (
  resource: Resource,
  spec: z.output<typeof gateway>,
  report: ReportFinding,
): GatewayResource => {
  const known = ["gatewayClassName", "listeners", ...Object.keys(platformKeys)];
  for (const key of Object.keys(spec)) {
    const message = platformKeys[key];
    if (message !== undefined) report("otherwise", resource, ["spec", key], message);
    else if (!known.includes(key)) report("left-out", resource, ["spec", key], `${key} has no equivalent`);
  }
  const listeners = spec.listeners.flatMap((it, index) => {
    const at = ["spec", "listeners", index];
    // An empty value counts as absent.
    const hostname = it.hostname === undefined || it.hostname === "" ? undefined : normalizeHost(it.hostname);
    const problem = hostname && hostProblem(hostname);
    if (problem) report("left-out", resource, [...at, "hostname"], `${problem}, so nothing is served there`);
    if (it.protocol !== "HTTP" && it.protocol !== "HTTPS")
      report("left-out", resource, at, `the listener ${it.name} of the protocol ${it.protocol} has no equivalent`);
    // It requires client certificates.
    if (it.tls?.frontendValidation !== undefined)
      report(
        "left-out",
        resource,
        [...at, "tls"],
        `frontendValidation of ${it.name} has no equivalent: ${certificateRemedy}`,
      );
    return problem ? [] : [{ ...it, hostname }];
  });
  return { resource, listeners };
};

const certificateRemedy = "client certificates are not required; use Cloudflare's mTLS";

const platformKeys: Readonly<Record<string, string>> = {
  addresses: "addresses are the platform's",
  infrastructure: "infrastructure is the platform's",
};
