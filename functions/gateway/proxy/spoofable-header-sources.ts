/**
 * Sources for each group of spoofable headers: who writes or reads them. Used by tools only, not bundled with gates.
 */
import { identityHeaderSources } from "./identity-header-sources.ts";
import type { spoofableHeaders } from "./spoofable-headers.ts";

interface Source {
  readonly by: string;
  /** What a service would trust. */
  readonly says: string;
  readonly source: string;
  /** The vendor has no page about the headers, so the source is someone else's. */
  readonly secondHand?: true;
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
  "method-override": {
    by: "web frameworks and OData services",
    says: "another method than the one that the gate matched",
    source: "https://expressjs.com/en/resources/middleware/method-override.html",
  },
  "url-override": {
    by: "IIS, Symfony before CVE-2018-14773, Zend, ASP.NET Core, Traefik",
    says: "another URL or host than the one that the gate matched; a document to fetch",
    source: "https://symfony.com/blog/cve-2018-14773-remove-support-for-legacy-and-risky-http-headers",
  },
  "https-claim": {
    by: "Microsoft's proxies, Alibaba Cloud CDN; read by Jetty, Yii and others",
    says: "that the client came by HTTPS",
    source: "https://eclipse.dev/jetty/javadoc/jetty-11/org/eclipse/jetty/server/ForwardedRequestCustomizer.html",
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
    source: "https://techdocs.akamai.com/property-mgr/docs/content-tgting",
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
    by: "Azure Front Door, Application Request Routing of IIS",
    says: "client address, the profile that a request came through, the client's certificate",
    source: "https://learn.microsoft.com/en-us/azure/frontdoor/front-door-http-headers-protocol",
  },
  google: {
    by: "App Engine",
    says: "client address and place, that a task or a cron job calls",
    source: "https://cloud.google.com/appengine/docs/standard/reference/request-headers",
  },
  "google-tasks": {
    by: "Cloud Tasks, Cloud Scheduler",
    says: "that a task or a job calls",
    source: "https://cloud.google.com/tasks/docs/creating-http-target-tasks",
  },
  imperva: {
    by: "Imperva",
    says: "client address",
    source: "https://www.rubydoc.info/gems/imperva-rails/0.1.1",
    secondHand: true,
  },
  sucuri: {
    by: "Sucuri",
    says: "client address",
    source: "https://docs.sucuri.net/website-firewall/troubleshooting/same-ip-for-all-users/",
    secondHand: true,
  },
  alibaba: {
    by: "Alibaba Cloud CDN",
    says: "client address",
    source: "https://www.alibabacloud.com/help/en/cdn/support/how-to-obtain-the-real-client-ip-from-the-origin-server",
  },
  tencent: {
    by: "Tencent EdgeOne",
    says: "client address and place",
    source: "https://edgeone.ai/document/54211",
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
    source: "https://github.com/netlify/primitives/blob/main/packages/edge-functions/dev/src/node/headers.ts",
  },
  digitalocean: {
    by: "DigitalOcean App Platform",
    says: "client address",
    source: "https://github.com/mixpanel/tracking-proxy/issues/31",
    secondHand: true,
  },
  envoy: {
    by: "Envoy",
    says: "client address, that a call is internal, retries, timeouts, the original path",
    source: "https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_conn_man/header_sanitizing",
  },
  linkerd: {
    by: "Linkerd",
    says: "who calls, and where a request goes instead",
    source: "https://github.com/linkerd/linkerd2-proxy/pull/173",
  },
  dapr: {
    by: "Dapr sidecars",
    says: "which service a sidecar calls, and who calls",
    source:
      "https://docs.dapr.io/developing-applications/building-blocks/service-invocation/howto-invoke-discover-services/",
  },
  weblogic: {
    by: "WebLogic's plug-ins for web servers",
    says: "client address, client certificate, that the client came by TLS",
    source:
      "https://docs.oracle.com/cd/E11035_01/wls100/schemaref/security/http.www.bea.com.ns.weblogic.920.domain/types/servertype.client-cert-proxy-enabled.html",
  },
  ...identityHeaderSources,
};
