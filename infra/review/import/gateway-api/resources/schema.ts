/** Schemas of the supported Gateway API kinds (gateway.networking.k8s.io/v1). A field that no schema names has no equivalent. */
import * as z from "zod";

const port = z.int().min(1).max(65_535);

const names = z.array(z.strictObject({ name: z.string(), value: z.string() })).default([]);

const modifier = z.strictObject({ set: names, add: names, remove: z.array(z.string()).default([]) });

const pathChange = z.union([
  z.strictObject({ type: z.literal("ReplaceFullPath"), replaceFullPath: z.string() }),
  z.strictObject({ type: z.literal("ReplacePrefixMatch"), replacePrefixMatch: z.string() }),
]);

const backend = z.strictObject({
  group: z.string().default(""),
  kind: z.string().default("Service"),
  name: z.string(),
  namespace: z.string().optional(),
  port: port.optional(),
});

const filter = z.strictObject({
  type: z.string(),
  requestHeaderModifier: modifier.optional(),
  responseHeaderModifier: modifier.optional(),
  requestRedirect: z
    .strictObject({
      scheme: z.enum(["http", "https"]).optional(),
      hostname: z.string().optional(),
      path: pathChange.optional(),
      port: port.optional(),
      statusCode: z.literal([301, 302, 303, 307, 308]).default(302),
    })
    .optional(),
  urlRewrite: z.strictObject({ hostname: z.string().optional(), path: pathChange.optional() }).optional(),
  requestMirror: z
    .strictObject({
      backendRef: backend,
      percent: z.number().optional(),
      fraction: z.strictObject({ numerator: z.number(), denominator: z.number().default(100) }).optional(),
    })
    .optional(),
  cors: z
    .strictObject({
      allowOrigins: z.array(z.string()).default([]),
      allowMethods: z.array(z.string()).default([]),
      allowHeaders: z.array(z.string()).default([]),
      exposeHeaders: z.array(z.string()).default([]),
      allowCredentials: z.boolean().default(false),
      maxAge: z.int().default(5),
    })
    .optional(),
  extensionRef: z.looseObject({}).optional(),
});

const kindOfMatch = z.enum(["Exact", "RegularExpression"]).default("Exact");

const comparison = z.strictObject({ type: kindOfMatch, name: z.string(), value: z.string() });

const match = z.strictObject({
  path: z
    .strictObject({
      type: z.enum(["Exact", "PathPrefix", "RegularExpression"]).default("PathPrefix"),
      value: z.string().default("/"),
    })
    .prefault({}),
  headers: z.array(comparison).default([]),
  queryParams: z.array(comparison).default([]),
  method: z.string().optional(),
});

const rule = z.strictObject({
  name: z.string().optional(),
  /** Null is a match with an unknown condition. */
  matches: z.array(match.nullable()).default([]),
  filters: z.array(filter).default([]),
  backendRefs: z
    .array(
      z.strictObject({ ...backend.shape, weight: z.int().min(0).default(1), filters: z.array(filter).default([]) }),
    )
    .default([]),
  timeouts: z.strictObject({ request: z.string().optional(), backendRequest: z.string().optional() }).prefault({}),
});

const parent = z.strictObject({
  group: z.string().default("gateway.networking.k8s.io"),
  kind: z.string().default("Gateway"),
  name: z.string(),
  namespace: z.string().optional(),
  sectionName: z.string().optional(),
  port: port.optional(),
});

export const httpRoute = z.strictObject({
  parentRefs: z.array(parent).default([]),
  hostnames: z.array(z.string()).default([]),
  rules: z.array(rule).default([]),
});

const selector = z.strictObject({
  matchLabels: z.record(z.string(), z.string()).optional(),
  matchExpressions: z
    .array(
      z.strictObject({
        key: z.string(),
        operator: z.enum(["In", "NotIn", "Exists", "DoesNotExist"]),
        values: z.array(z.string()).default([]),
      }),
    )
    .optional(),
});

const listener = z.looseObject({
  name: z.string(),
  hostname: z.string().optional(),
  port,
  protocol: z.string(),
  tls: z.looseObject({ mode: z.string().optional() }).optional(),
  allowedRoutes: z
    .looseObject({
      namespaces: z
        .looseObject({
          from: z.enum(["All", "Same", "Selector", "None"]).default("Same"),
          selector: selector.optional(),
        })
        .prefault({}),
      kinds: z
        .array(z.looseObject({ group: z.string().default("gateway.networking.k8s.io"), kind: z.string() }))
        .optional(),
    })
    .prefault({}),
});

export const gateway = z.looseObject({ listeners: z.array(listener).default([]) });

export const grant = z.looseObject({
  from: z.array(z.looseObject({ group: z.string(), kind: z.string(), namespace: z.string() })).default([]),
  to: z.array(z.looseObject({ group: z.string(), kind: z.string(), name: z.string().optional() })).default([]),
});

export const service = z.looseObject({
  ports: z.array(z.looseObject({ port: z.int(), appProtocol: z.string().optional() })).default([]),
});

export type HttpRoute = z.output<typeof httpRoute>;
export type Rule = HttpRoute["rules"][number];
export type RouteMatch = NonNullable<Rule["matches"][number]>;
export type Filter = Rule["filters"][number];
export type Backend = z.output<typeof backend>;
export type BackendRef = Rule["backendRefs"][number];
export type Parent = HttpRoute["parentRefs"][number];
export type Selector = z.output<typeof selector>;
export type Listener = z.output<typeof listener>;
