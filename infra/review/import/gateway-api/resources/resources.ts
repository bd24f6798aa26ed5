/** Types of checked Gateway API resources. */
import type { Resource } from "./documents.ts";
import type { HttpRoute, Listener } from "./schema.ts";

export interface HttpRouteResource {
  readonly resource: Resource;
  readonly spec: HttpRoute;
}

export interface GatewayResource {
  readonly resource: Resource;
  readonly listeners: readonly Listener[];
}

/** Scheme and port conditions of a route in `when`; empty if every listener of its host leads to it. */
export interface ListenerAddress {
  readonly scheme?: "http" | "https";
  readonly port?: number;
}
