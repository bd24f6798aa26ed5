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

/** What a route asks for in `when`; empty where every door of its host leads to it. */
export interface ListenerAddress {
  readonly scheme?: "http" | "https";
  readonly port?: number;
}
