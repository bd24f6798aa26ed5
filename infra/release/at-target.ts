/**
 * An environment at its target. The control plane of one that is for Cloudflare calls the local cloud where it is deployed
 * there, so that staging and production can be tried as they are.
 */
import type { Environment } from "../../functions/manifest/environment.ts";
import { cloudflareApi } from "../../functions/manifest/environment.ts";
import { accountId } from "../cloud/account/access.ts";
import { zoneAddress } from "../cloud/ingress/zone-address.ts";
import type { Compiled } from "../compiler/compile.ts";
import type { Target } from "./target.ts";

/** Where `postern cloud` serves requests by default. Another edge is `control.front` of the environment. */
export const defaultEdge = "http://localhost:8800";

/** What the environment says of a local cloud itself stays as it is. */
export const compiledAt = (compiled: Compiled, target: Target): Compiled => {
  const { environment } = compiled;
  const { control } = environment.value;
  if (target.name !== "local" || !control) return compiled;
  const value: Environment = { ...environment.value, control: { ...control, ...addresses(control, target) } };
  return { ...compiled, environment: { ...environment, value } };
};

/** A Worker cannot set the Host header by which the edge knows the zone. */
const addresses = (
  { api, front = `${defaultEdge}${zoneAddress}{host}` }: NonNullable<Environment["control"]>,
  { variables }: Target,
) => (api === cloudflareApi ? { api: variables.CLOUDFLARE_API_BASE_URL ?? api, front, account: accountId } : { front });
