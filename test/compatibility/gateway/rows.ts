/** The table of requests on CORS, shares, caches, redirects and request ids, each with the right answer of a gate. */
import { cors } from "./cors.ts";
import type { GatewayRow } from "./gateway.ts";
import { caches, locations } from "./location-header.ts";
import { shares } from "./shares.ts";

export const rows: readonly GatewayRow[] = [...cors, ...shares, ...caches, ...locations];
