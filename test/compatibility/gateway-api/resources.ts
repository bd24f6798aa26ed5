/** Builds the rows' resources as people write them. */
import type { Row } from "../row.ts";

/** `http://shop.example/a` goes to the running front; what begins with https:// is explained, since nobody here has a certificate. */
export type Ask = readonly [
  target: string,
  answer: string | number | { readonly status: number; readonly location: string },
];

export interface Source extends Row {
  /** Files of one folder, by their paths. */
  readonly files: Readonly<Record<string, string | Buffer>>;
  /** What is listed as left out: one pattern for each. Without any, the import ends with 0. */
  readonly leftOut?: readonly RegExp[];
  /** Requests, and the service that answers, or a status. */
  readonly asks?: readonly Ask[];
  /** What the environments need, where services are variables. */
  readonly values?: readonly string[];
  /** Hosts of routes that name none. */
  readonly host?: string;
}

const api = "gateway.networking.k8s.io/v1";

/** Several documents of one file. */
export const all = (...documents: readonly string[]): string => documents.join("---\n");

export const gateway = (listeners: string, more = "", name = "gw"): string => `apiVersion: ${api}
kind: Gateway
metadata: { name: ${name}, namespace: shop }
spec:
  gatewayClassName: any
  ${more}
  listeners: [${listeners}]
`;

export const http = "{ name: http, port: 80, protocol: HTTP }";
export const https =
  "{ name: https, port: 443, protocol: HTTPS, tls: { mode: Terminate, certificateRefs: [{ name: shop-tls }] } }";

interface Wanted {
  readonly hosts?: string;
  readonly parent?: string;
  readonly name?: string;
  readonly namespace?: string;
  readonly version?: string;
  readonly metadata?: string;
}

export const route = (
  rule: string,
  { hosts, parent, name = "app", namespace = "shop", version = api, metadata = "" }: Wanted,
): string => `apiVersion: ${version}
kind: HTTPRoute
metadata: { name: ${name}, namespace: ${namespace}${metadata} }
spec:
  ${parent === undefined ? "" : `parentRefs: [${parent}]`}
  ${hosts === undefined ? "" : `hostnames: [${hosts}]`}
  rules: [${rule}]
`;

export const to = (service: string, more = ""): string =>
  `{ ${more && `${more}, `}backendRefs: [{ name: ${service}, port: 80 }] }`;

export const path = (value: string): string => `matches: [{ path: { type: PathPrefix, value: "${value}" } }]`;

export const upgrade = "{ filters: [{ type: RequestRedirect, requestRedirect: { scheme: https, statusCode: 301 } }] }";
