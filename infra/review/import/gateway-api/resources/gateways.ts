/** A Gateway: its listeners, and what else it says that has no equivalent. */
import type { z } from "zod";
import type { Resource } from "./documents.ts";
import type { Find } from "./findings.ts";
import { compared, hostProblem } from "./hostnames.ts";
import type { Gateway } from "./resources.ts";
import type { gateway } from "./schema.ts";

export const gatewayOf = (resource: Resource, spec: z.output<typeof gateway>, find: Find): Gateway => {
  const known = ["gatewayClassName", "listeners", ...Object.keys(ofThePlatform)];
  for (const key of Object.keys(spec)) {
    const says = ofThePlatform[key];
    if (says !== undefined) find("otherwise", resource, ["spec", key], says);
    else if (!known.includes(key)) find("left-out", resource, ["spec", key], `${key} has no equivalent`);
  }
  const listeners = spec.listeners.flatMap((it, index) => {
    const at = ["spec", "listeners", index];
    // Empty is as good as none.
    const hostname = it.hostname === undefined || it.hostname === "" ? undefined : compared(it.hostname);
    const problem = hostname && hostProblem(hostname);
    if (problem) find("left-out", resource, [...at, "hostname"], `${problem}, so nothing is served there`);
    if (it.protocol !== "HTTP" && it.protocol !== "HTTPS")
      find("left-out", resource, at, `the listener ${it.name} of the protocol ${it.protocol} has no equivalent`);
    // Whoever it lets in is asked for a certificate.
    if (it.tls?.frontendValidation !== undefined)
      find("left-out", resource, [...at, "tls"], `frontendValidation of ${it.name} has no equivalent: ${certificates}`);
    return problem ? [] : [{ ...it, hostname }];
  });
  return { resource, listeners };
};

const certificates = "clients are asked for no certificate; Cloudflare's mTLS does it";

const ofThePlatform: Readonly<Record<string, string>> = {
  addresses: "addresses are the platform's",
  infrastructure: "infrastructure is the platform's",
};
