/**
 * Spoofable headers: headers by which a client could impersonate a proxy (its address), a platform (its identity) or
 * a router (method and path). Fronts and gates remove them.
 */

/** By writer or reader. A trailing `*` matches all names with that prefix. */
export const spoofableHeaders = {
  postern: ["postern-*", "x-postern-*", "x-request-id"],
  "workers-versions": ["cloudflare-workers-*"],
  forwarded: ["forwarded*", "x-forward*"],
  "client-address": [
    ...["client-ip", "clientip", "x-client-ip", "x-clientip", "x-cluster-client-ip", "x-real-*", "x-true-*"],
    ...["true-client-ip", "x-originating-ip", "x-proxyuser-ip", "x-source-ip", "http-client-ip", "cluster-client-ip"],
    ...["real-ip", "source-ip", "x-ip", "x-user-ip", "cdn-src-ip", "cdn-real-ip", "coming-from", "x-coming-from"],
    ...["z-forwarded-for", "x-custom-ip-authorization"],
  ],
  proxy: ["proxy", "proxy-*", "x-proxy-*"],
  "remote-user": ["x-remote-*", "remote-*", "x-webauth-*"],
  "kubernetes-user": ["impersonate-*"],
  "elasticsearch-user": ["es-security-runas-user"],
  "metrics-tenant": ["x-scope-orgid", "thanos-tenant"],
  "method-override": ["x-http-method", "x-http-method-override", "x-method-override", "x-method"],
  "url-override": [
    ...["x-original-*", "x-rewrite-*", "x-host", "x-http-host-override", "x-waws-unencoded-url"],
    ...["x-script-name", "x-replaced-path", "x-http-destinationurl", "x-wap-profile", "x-scheme", "x-url-scheme"],
    ...["x-override-url", "x-custom-url", "x-http-path-override", "x-path-info", "x-request-uri", "request-uri"],
    ...["base-url", "http-url", "x-backend-host", "x-gateway-host", "wap-profile"],
  ],
  "https-claim": ["front-end-https", "x-front-end-https", "x-proxied-https", "x-client-scheme"],
  "client-certificate": [
    ...["client-cert", "client-cert-chain", "x-client-cert*", "ssl-client-*", "x-ssl-*", "tls-client-*", "x-tls-*"],
    ...["x-mtls-*", "x-client-dn", "x-client-verify"],
  ],
  sendfile: ["x-sendfile*", "x-accel-*"],
  surrogate: ["surrogate-capability"],
  next: ["x-middleware-*", "x-invoke-*", "x-matched-path", "x-now-route-matches"],
  cloudflare: ["cf-*"],
  fastly: ["fastly-*"],
  akamai: ["akamai-*", "x-akamai-*"],
  cloudfront: ["cloudfront-*"],
  "aws-load-balancer": ["x-amzn-*"],
  "lambda-adapter": ["x-apigateway-*"],
  azure: ["x-azure-*", "x-fd-*", "x-arr-*"],
  "app-service": ["x-ms-client-principal*", "x-ms-token-*"],
  iis: ["ms-aspnetcore-*"],
  google: ["x-appengine-*", "x-google-*"],
  "google-iap": ["x-goog-authenticated-user-*", "x-goog-iap-*"],
  "google-endpoints": ["x-endpoint-api-*"],
  "google-tasks": ["x-cloudtasks-*", "x-cloudscheduler*"],
  imperva: ["incap-*"],
  sucuri: ["x-sucuri-*"],
  alibaba: ["ali-cdn-*"],
  tencent: ["eo-*"],
  fly: ["fly-*"],
  vercel: ["x-vercel-*"],
  netlify: ["x-nf-*"],
  digitalocean: ["do-connecting-ip"],
  envoy: ["x-envoy-*"],
  linkerd: ["l5d-*"],
  dapr: ["dapr-*"],
  weblogic: ["wl-proxy-*"],
  kong: ["x-consumer-*", "x-credential-*", "x-anonymous-consumer", "x-authenticated-*"],
  apisix: ["x-userinfo"],
  webseal: ["iv-user*", "iv-groups", "iv-creds*", "iv-remote-address*"],
  siteminder: ["sm-user*"],
  shibboleth: ["shib-*"],
  tailscale: ["tailscale-*", "x-tailscale-*"],
  "oauth2-proxy": ["x-auth-request-*"],
  authentik: ["x-authentik-*"],
  pomerium: ["x-pomerium-*"],
  vouch: ["x-vouch-*"],
} as const satisfies Readonly<Record<string, readonly string[]>>;

/**
 * Set by Cloudflare on each request, replacing what a client sent. The token of Cloudflare Access is signed, so `jwt`
 * can verify it.
 */
export const writtenByCloudflare: ReadonlySet<string> = new Set([
  ...["cf-connecting-ip", "cf-ray", "cf-ipcountry", "cf-visitor", "cf-ew-via", "cf-worker", "cf-access-jwt-assertion"],
]);

const allNames = Object.values(spoofableHeaders).flat();
const exactNames: ReadonlySet<string> = new Set(allNames.filter((it) => !it.endsWith("*")));

/** The first two characters as a number. Slicing a text would cost more than the rest of the check. */
const firstTwoCharacters = (name: string): number => name.charCodeAt(0) * 256 + name.charCodeAt(1);

/** Prefixes by their first two characters. One regular expression would have to be compiled at the first request. */
const prefixes: ReadonlyMap<number, readonly string[]> = Map.groupBy(
  allNames.filter((it) => it.endsWith("*")).map((it) => it.slice(0, -1)),
  firstTwoCharacters,
);

/**
 * Whether a name has other characters than letters, digits and hyphens: many services read `x_customer` and
 * `x.customer` as `x-customer` (CGI, RFC 3875, section 4.1.18), so such a name could impersonate the gate. A regular
 * expression would take twice as long.
 */
const hasUnusualCharacter = (name: string): boolean => {
  for (let at = 0; at < name.length; at++) {
    const code = name.charCodeAt(at);
    const isPlain = (code >= 0x61 && code <= 0x7a) || code === 0x2d || (code >= 0x30 && code <= 0x39);
    if (!isPlain) return true;
  }
  return false;
};

/** @param name in lower case */
export const isSpoofable = (name: string): boolean => {
  if (exactNames.has(name) || hasUnusualCharacter(name)) return true;
  const some = prefixes.get(firstTwoCharacters(name));
  if (some === undefined) return false;
  for (const prefix of some) if (name.startsWith(prefix)) return !writtenByCloudflare.has(name);
  return false;
};

/** Set by the gate itself, hop-by-hop, or controlling Postern: no tier may accept these from clients. */
const neverAccepted =
  /^(?:x-postern-.*|postern-.*|cloudflare-workers-.*|x-request-id|forwarded|x-forwarded-(?:for|host|proto)|proxy-authorization|proxy-connection)$/;

/** Whether a tier may accept a spoofable header for its services. */
export const isAcceptable = (name: string): boolean =>
  isSpoofable(name) && /^[a-z0-9-]+$/.test(name) && !neverAccepted.test(name);

/** The headers that any tier of a front accepts. The front keeps them until it has found the tier. */
export const acceptedHeadersOf = (tiers: readonly { readonly accepts?: readonly string[] }[]): ReadonlySet<string> =>
  new Set(tiers.flatMap(({ accepts = [] }) => accepts));

/** Response headers that only Postern may set: for testers, explanations and version splits. */
export const isOwnHeader = (name: string): boolean =>
  name.startsWith("x-postern-") || name.startsWith("postern-") || name.startsWith("cloudflare-workers-");
