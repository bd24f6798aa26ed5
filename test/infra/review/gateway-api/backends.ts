/** Where requests go: backends that are there or not, weights, mirrors. */
import { type Case, filtered, prefix, routeTo, simple } from "./case-helpers.ts";

const grant = `---
apiVersion: gateway.networking.k8s.io/v1beta1
kind: ReferenceGrant
metadata: { name: let-shop, namespace: backend }
spec:
  from: [{ group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: shop }]
  to: [{ group: "", kind: Service, name: v2 }]
`;
const service = (name: string) => `---
apiVersion: v1
kind: Service
metadata: { name: ${name}, namespace: shop }
spec: { ports: [{ port: 80 }] }
`;

export const backends: Readonly<Record<string, Case>> = {
  "a backend that is none is answered 500": {
    resources:
      simple(
        routeTo(prefix("/there"), "v1"),
        routeTo(prefix("/gone"), "nonexistent"),
        `    - { matches: [${prefix("/kind")}], backendRefs: [{ kind: Bucket, name: v1, port: 80 }] }`,
        `    - { matches: [${prefix("/port")}], backendRefs: [{ name: v1, port: 81 }] }`,
        `    - { matches: [${prefix("/omitted")}] }`,
        `    - { matches: [${prefix("/empty")}], backendRefs: [] }`,
        `    - { matches: [${prefix("/zero")}], backendRefs: [{ name: v1, port: 80, weight: 0 }] }`,
      ) + service("v1"),
    exchanges: [
      ["GET /there", "v1"],
      ["GET /gone", 500],
      ["GET /kind", 500],
      ["GET /port", 500],
      ["GET /omitted", 500],
      ["GET /empty", 500],
      ["GET /zero", 500],
    ],
  },
  "a backend of another namespace needs its leave": {
    resources:
      simple(
        `    - { matches: [${prefix("/granted")}], backendRefs: [{ name: v2, namespace: backend, port: 80 }] }`,
        `    - { matches: [${prefix("/other")}], backendRefs: [{ name: v1, namespace: backend, port: 80 }] }`,
        `    - { matches: [${prefix("/strange")}], backendRefs: [{ name: v2, namespace: strange, port: 80 }] }`,
      ) + grant,
    exchanges: [
      ["GET /granted", "v2"],
      ["GET /other", 500],
      ["GET /strange", 500],
    ],
  },
};

/** Shares that need many requests; the tests count. */
export const shares = {
  weights: simple(
    `    - { matches: [${prefix("/weights")}], backendRefs: [{ name: v1, port: 80, weight: 70 }, { name: v2, port: 80, weight: 30 }, { name: v3, port: 80, weight: 0 }] }`,
    `    - { matches: [${prefix("/half")}], backendRefs: [{ name: v1, port: 80 }, { name: nobody, namespace: strange, port: 80 }] }`,
    `    - { matches: [${prefix("/own")}], backendRefs: [${["v1", "v2"].map((name) => `{ name: ${name}, port: 80, filters: [{ type: RequestHeaderModifier, requestHeaderModifier: { set: [{ name: Backend, value: ${name} }] } }] }`).join(", ")}] }`,
  ),
  mirrors: simple(
    filtered(
      "/two",
      "{ type: RequestHeaderModifier, requestHeaderModifier: { set: [{ name: X-Set, value: mine }] } }, { type: RequestMirror, requestMirror: { backendRef: { name: v2, port: 80 } } }, { type: RequestMirror, requestMirror: { backendRef: { name: v3, port: 80 } } }",
    ),
    filtered("/percent", "{ type: RequestMirror, requestMirror: { backendRef: { name: v2, port: 80 }, percent: 50 } }"),
    filtered(
      "/fraction",
      "{ type: RequestMirror, requestMirror: { backendRef: { name: v2, port: 80 }, fraction: { numerator: 1, denominator: 1000 } } }",
    ),
    filtered(
      "/gone",
      "{ type: RequestMirror, requestMirror: { backendRef: { name: v2, namespace: strange, port: 80 } } }",
    ),
  ),
};

/** A service with this appProtocol is called for WebSockets. */
export const sockets =
  simple(
    `    - { matches: [${prefix("/live")}], backendRefs: [{ name: v1, port: 81 }] }`,
    `    - { matches: [${prefix("/plain")}], backendRefs: [{ name: v1, port: 80 }] }`,
  ) + service("v1").replace("ports: [", "ports: [{ port: 81, appProtocol: kubernetes.io/ws }, ");
