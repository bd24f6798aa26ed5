/**
 * Sources for spoofable headers about identity: who the user is, and on whose behalf a request acts. Used by tools
 * only, not bundled with gates.
 */

export const identityHeaderSources = {
  "remote-user": {
    by: "authenticating proxies (Kubernetes, Authelia, Grafana)",
    says: "who the user is, and the user's groups",
    source: "https://kubernetes.io/docs/reference/access-authn-authz/authentication/#authenticating-proxy",
  },
  "kubernetes-user": {
    by: "proxies with rights of their own; read by the Kubernetes API server",
    says: "which user and groups to act as",
    source: "https://kubernetes.io/docs/reference/access-authn-authz/user-impersonation/",
  },
  "elasticsearch-user": {
    by: "applications with rights of their own; read by Elasticsearch",
    says: "which user to act as",
    source: "https://www.elastic.co/guide/en/elasticsearch/reference/current/run-as-privilege.html",
  },
  "metrics-tenant": {
    by: "authenticating proxies; read by Loki, Mimir, Cortex and Thanos",
    says: "which tenant's data it is",
    source: "https://grafana.com/docs/loki/latest/operations/authentication/",
  },
  "client-certificate": {
    by: "proxies that end TLS",
    says: "the client's certificate",
    source: "https://www.rfc-editor.org/rfc/rfc9440#section-4",
  },
  "lambda-adapter": {
    by: "aws-serverless-express and its like; Google's API Gateway",
    says: "the event of API Gateway, with the user's identity in it",
    source: "https://www.npmjs.com/package/aws-serverless-express",
  },
  "app-service": {
    by: "Azure App Service",
    says: "the user's identity and tokens",
    source: "https://learn.microsoft.com/en-us/azure/app-service/configure-authentication-user-identities",
  },
  iis: {
    by: "the ASP.NET Core Module of IIS",
    says: "the client's certificate, the Windows user",
    source:
      "https://learn.microsoft.com/en-us/dotnet/api/microsoft.aspnetcore.builder.iisoptions.forwardclientcertificate",
  },
  "google-iap": {
    by: "Identity-Aware Proxy",
    says: "the user's identity",
    source: "https://cloud.google.com/iap/docs/identity-howto",
  },
  "google-endpoints": {
    by: "Cloud Endpoints",
    says: "the claims of a verified token",
    source: "https://cloud.google.com/endpoints/docs/openapi/authenticating-users-custom",
  },
  kong: {
    by: "Kong, APISIX",
    says: "who the consumer is",
    source: "https://developer.konghq.com/plugins/key-auth/",
  },
  apisix: {
    by: "the OpenID Connect plugins of APISIX and Kong",
    says: "who the user is",
    source: "https://apisix.apache.org/docs/apisix/plugins/openid-connect/",
  },
  webseal: {
    by: "IBM Verify Access (WebSEAL)",
    says: "who the user is, and the user's groups and credential",
    source: "https://www.ibm.com/docs/en/sva/11.0.3?topic=solutions-client-identity-in-http-headers-c",
  },
  siteminder: {
    by: "SiteMinder; read by Spring Security and others",
    says: "who the user is",
    source: "https://docs.spring.io/spring-security/reference/servlet/authentication/preauth.html",
  },
  shibboleth: {
    by: "Shibboleth",
    says: "who the user is, and who says so",
    source: "https://wiki.shibboleth.net/confluence/display/SP3/SpoofChecking",
  },
  tailscale: {
    by: "Tailscale Serve",
    says: "who the user is",
    source: "https://tailscale.com/s/serve-headers",
  },
  vouch: {
    by: "Vouch Proxy",
    says: "who the user is, and the user's claims",
    source: "https://github.com/vouch/vouch-proxy",
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
} as const;
