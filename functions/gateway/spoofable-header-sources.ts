/** Who writes or reads each group of spoofable headers, and the page that says so. Only tools read this; no gate carries it. */
import type { spoofableHeaders } from "./spoofable-headers.ts";

interface Source {
  readonly by: string;
  /** What a service would believe. */
  readonly says: string;
  readonly source: string;
}

export const spoofableHeaderSources: Readonly<Record<keyof typeof spoofableHeaders, Source>> = {
  postern: {
    by: "Postern",
    says: "the request id, the gray key, a tester's label",
    source: "docs/gray-release.md",
  },
  "workers-versions": {
    by: "Cloudflare Workers",
    says: "which version of a Worker answers",
    source: "https://developers.cloudflare.com/workers/configuration/versions-and-deployments/gradual-deployments/",
  },
  forwarded: {
    by: "proxies",
    says: "client address, host, scheme, port, path prefix, client certificate",
    source: "https://www.rfc-editor.org/rfc/rfc7239",
  },
  "client-address": {
    by: "proxies; read by libraries that look for a client's address",
    says: "client address",
    source: "https://www.npmjs.com/package/request-ip",
  },
  proxy: {
    by: "proxies",
    says: "the proxy that a service is to use (httpoxy), credentials for a proxy",
    source: "https://httpoxy.org/",
  },
  "remote-user": {
    by: "authenticating proxies (Kubernetes, Authelia, Grafana)",
    says: "who the user is, and the user's groups",
    source: "https://kubernetes.io/docs/reference/access-authn-authz/authentication/#authenticating-proxy",
  },
  "method-override": {
    by: "web frameworks and OData services",
    says: "another method than the one that the gate matched",
    source: "https://expressjs.com/en/resources/middleware/method-override.html",
  },
  "url-override": {
    by: "IIS, Symfony, Zend, ASP.NET Core, Traefik",
    says: "another URL or host than the one that the gate matched; a document to fetch",
    source: "https://portswigger.net/research/practical-web-cache-poisoning",
  },
  "https-claim": {
    by: "Microsoft's proxies",
    says: "that the client came by HTTPS",
    source: "https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/X-Forwarded-Proto",
  },
  "client-certificate": {
    by: "proxies that end TLS",
    says: "the client's certificate",
    source: "https://www.rfc-editor.org/rfc/rfc9440#section-4",
  },
  sendfile: {
    by: "nginx, Apache, Rack",
    says: "which file is sent, and how paths are mapped (CVE-2025-61780)",
    source: "https://github.com/rack/rack/security/advisories/GHSA-r657-rxjc-j557",
  },
  surrogate: {
    by: "surrogates",
    says: "that Edge Side Includes are run",
    source: "https://www.w3.org/TR/edge-arch/",
  },
  next: {
    by: "Next.js",
    says: "that its checks ran already (CVE-2025-29927), and which page is served",
    source: "https://github.com/vercel/next.js/security/advisories/GHSA-f82v-jwr5-mffw",
  },
  cloudflare: {
    by: "Cloudflare",
    says: "client address, place, bot score, the user of Access",
    source: "https://developers.cloudflare.com/fundamentals/reference/http-headers/",
  },
  fastly: {
    by: "Fastly",
    says: "client address, that the client came by TLS",
    source: "https://www.fastly.com/documentation/reference/http/http-headers/Fastly-Client-IP/",
  },
  akamai: {
    by: "Akamai",
    says: "client address and place, that a request came through Akamai",
    source: "https://techdocs.akamai.com/property-mgr/docs/origin-server",
  },
  cloudfront: {
    by: "Amazon CloudFront",
    says: "client address, place, device, scheme",
    source: "https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/adding-cloudfront-headers.html",
  },
  "aws-load-balancer": {
    by: "Elastic Load Balancing, API Gateway",
    says: "the user's identity (`x-amzn-oidc-*`), the client's certificate (`x-amzn-mtls-*`)",
    source: "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/listener-authenticate-users.html",
  },
  azure: {
    by: "Azure Front Door, App Service",
    says: "client address, the profile that a request came through, the user's identity",
    source: "https://learn.microsoft.com/en-us/azure/frontdoor/front-door-http-headers-protocol",
  },
  google: {
    by: "App Engine, Identity-Aware Proxy",
    says: "client address, the user's identity, that a task or a cron job calls",
    source: "https://cloud.google.com/appengine/docs/standard/reference/request-headers",
  },
  imperva: {
    by: "Imperva",
    says: "client address",
    source:
      "https://docs-cybersec.thalesgroup.com/bundle/cloud-application-security/page/settings/xray-debug-headers.htm",
  },
  sucuri: {
    by: "Sucuri",
    says: "client address",
    source: "https://docs.sucuri.net/website-firewall/troubleshooting/same-ip-for-all-users/",
  },
  alibaba: {
    by: "Alibaba Cloud CDN",
    says: "client address",
    source: "https://www.alibabacloud.com/help/en/cdn/",
  },
  tencent: {
    by: "Tencent EdgeOne",
    says: "client address and place",
    source: "https://edgeone.ai/document/56724",
  },
  fly: {
    by: "Fly.io",
    says: "client address, region",
    source: "https://fly.io/docs/networking/request-headers/",
  },
  vercel: {
    by: "Vercel",
    says: "client address and place",
    source: "https://vercel.com/docs/headers/request-headers",
  },
  netlify: {
    by: "Netlify",
    says: "client address, site, account",
    source: "https://docs.netlify.com/routing/headers/",
  },
  digitalocean: {
    by: "DigitalOcean App Platform",
    says: "client address",
    source: "https://docs.digitalocean.com/products/app-platform/",
  },
  envoy: {
    by: "Envoy",
    says: "client address, that a call is internal, retries, timeouts, the original path",
    source: "https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_conn_man/headers",
  },
  linkerd: {
    by: "Linkerd",
    says: "who calls, and where a request goes instead",
    source: "https://linkerd.io/2-edge/reference/proxy-configuration/",
  },
  weblogic: {
    by: "WebLogic's plug-ins for web servers",
    says: "client address, client certificate, that the client came by TLS",
    source: "https://docs.oracle.com/en/middleware/fusion-middleware/web-tier/12.2.1.4/develop-plugin/",
  },
  kong: {
    by: "Kong",
    says: "who the consumer is",
    source: "https://developer.konghq.com/plugins/key-auth/",
  },
  "oauth2-proxy": {
    by: "OAuth2 Proxy",
    says: "who the user is, the user's groups and token",
    source: "https://oauth2-proxy.github.io/oauth2-proxy/configuration/overview",
  },
  authentik: {
    by: "authentik",
    says: "who the user is, and the user's groups",
    source: "https://docs.goauthentik.io/add-secure-apps/providers/proxy/",
  },
  pomerium: {
    by: "Pomerium",
    says: "who the user is",
    source: "https://www.pomerium.com/docs/capabilities/getting-users-identity",
  },
  vouch: {
    by: "Vouch Proxy",
    says: "who the user is, and the user's claims",
    source: "https://github.com/vouch/vouch-proxy",
  },
  apisix: {
    by: "APISIX",
    says: "who the user is",
    source: "https://apisix.apache.org/docs/apisix/plugins/openid-connect/",
  },
  tailscale: {
    by: "Tailscale Serve",
    says: "who the user is",
    source: "https://tailscale.com/kb/1312/serve",
  },
  shibboleth: {
    by: "Shibboleth",
    says: "who the user is, and who says so",
    source: "https://shibboleth.atlassian.net/wiki/spaces/SP3/pages/2065335257/AttributeAccess",
  },
  "asp-net-core": {
    by: "IIS's module for ASP.NET Core",
    says: "the client's certificate, the Windows user",
    source: "https://learn.microsoft.com/en-us/aspnet/core/host-and-deploy/iis/advanced",
  },
};
