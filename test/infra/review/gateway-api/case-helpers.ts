/** The words that cases of HTTPRoutes are written in: resources, and requests with what has to come of them. */

export interface Expected {
  /** The service that answered. */
  readonly by?: string;
  readonly status?: number;
  /** The path that the service received. */
  readonly path?: string;
  /** Headers that the service saw; null for one that it did not. */
  readonly sees?: Readonly<Record<string, string | null>>;
  /** Headers that the client got; null for one that it did not. */
  readonly gets?: Readonly<Record<string, string | null>>;
}

/** A service's name, a status without any service, or more. */
export type ExpectedExchange = readonly [
  line: string,
  expected: string | number | Expected,
  headers?: Readonly<Record<string, string>>,
];

export interface Case {
  readonly resources: string;
  readonly exchanges: readonly ExpectedExchange[];
}

/** An HTTPRoute of the namespace `shop` at the Gateway `gw`. */
export const route = (
  rules: string,
  more: { name?: string; hostnames?: string; created?: string; parent?: string } = {},
) => `---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: ${more.name ?? "it"}, namespace: shop${more.created ? `, creationTimestamp: "${more.created}"` : ""} }
spec:
  parentRefs: [${more.parent ?? "{ name: gw }"}]
  ${more.hostnames ? `hostnames: ${more.hostnames}` : ""}
  rules:
${rules.replace(/^\n/, "")}
`;

export const gateway = (listeners = "- { name: http, port: 80, protocol: HTTP }") => `---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: gw, namespace: shop }
spec:
  gatewayClassName: any
  listeners:
    ${listeners.trim()}
`;

/** The rule's match and the service that it goes to. */
export const routeTo = (match: string, service: string, more = "") =>
  `    - { matches: [${match}], backendRefs: [{ name: ${service}, port: 80 }]${more && `, ${more}`} }`;

export const exact = (path: string) => `{ path: { type: Exact, value: ${path} } }`;
export const prefix = (path: string, more = "") =>
  `{ path: { type: PathPrefix, value: ${path} }${more && `, ${more}`} }`;
export const regex = (path: string) => `{ path: { type: RegularExpression, value: '${path}' } }`;
export const header = (name: string, value: string, type = "Exact") =>
  `headers: [{ name: ${name}, value: '${value}', type: ${type} }]`;
export const query = (name: string, value: string, type = "Exact") =>
  `queryParams: [{ name: ${name}, value: '${value}', type: ${type} }]`;
export const simple = (...rules: string[]): string => gateway() + route(rules.join("\n"));
/** A rule for a path with filters, and a service where it is no redirect. */
export const filtered = (path: string, filters: string, service = "v1") =>
  `    - { matches: [${prefix(path)}], filters: [${filters}]${service && `, backendRefs: [{ name: ${service}, port: 80 }]`} }`;
export const rewrite = (change: string) => `{ type: URLRewrite, urlRewrite: { ${change} } }`;
export const redirect = (change: string) => `{ type: RequestRedirect, requestRedirect: { ${change} } }`;
export const fullPath = (path: string) => `path: { type: ReplaceFullPath, replaceFullPath: ${path} }`;
export const replacePrefix = (path: string) => `path: { type: ReplacePrefixMatch, replacePrefixMatch: ${path} }`;
