/** Kinds are identified with their group, and kinds that are no gateway's business are ignored. */
import { all, gateway, http, path, route, type Source, to } from "./resources.ts";

const groups = "kubernetes.io, API concepts: a resource is known by group, version and kind";
const backendRef = "Gateway API v1, HTTPRouteRule.backendRefs: what is routed to an invalid one is answered 500";

const knative = `apiVersion: serving.knative.dev/v1
kind: Service
metadata: { name: other, namespace: shop }
spec: { template: { spec: { containers: [{ image: shop }] } } }
`;

const istio = `apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: gw, namespace: shop }
spec: { selector: { istio: ingress }, servers: [{ port: { number: 80, name: http, protocol: HTTP }, hosts: [elsewhere.example] }] }
`;

const workload = (apiVersion: string, kind: string): string =>
  `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: { name: shop, namespace: shop }\nspec: {}\n`;

const policy = (apiVersion: string, kind: string, target: string): string =>
  `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: { name: it, namespace: shop }\nspec: { ${target} }\n`;

const grant = (from: string): string => `apiVersion: gateway.networking.k8s.io/v1beta1
kind: ReferenceGrant
metadata: { name: it, namespace: far }
spec: { from: [{ ${from} }], to: [{ group: "", kind: Service }] }
`;

const far = "{ backendRefs: [{ name: v1, namespace: far, port: 80 }] }";

export const kinds: readonly Source[] = [
  {
    it: "a Service of Knative is no Service: it does not hide those that are not in the files",
    authority: groups,
    files: { "it.yaml": all(route(to("v1"), { hosts: "knative.example" }), knative) },
    asks: [["http://knative.example/", "v1"]],
  },
  {
    it: "a Gateway of Istio is no parent of an HTTPRoute, and its hosts narrow nothing",
    authority: groups,
    files: { "it.yaml": all(istio, route(to("v1"), { hosts: "istio.example", parent: "{ name: gw }" })) },
    asks: [["http://istio.example/", "v1"]],
  },
  {
    it: "an HTTPRoute of another group is none",
    authority: groups,
    files: {
      "it.yaml": all(
        route(to("v1"), { hosts: "group.example" }),
        route(to("v2"), { hosts: "group.example", name: "other", version: "example.com/v1" }),
      ),
    },
    asks: [["http://group.example/", "v1"]],
  },
  {
    it: "a parent of another group is no Gateway: the route is not served",
    authority: "Gateway API v1, ParentReference.group",
    files: {
      "it.yaml": all(
        gateway(http),
        route(to("v1"), { hosts: "parent.example", parent: "{ group: networking.istio.io, kind: Gateway, name: gw }" }),
      ),
    },
    leftOut: [/a route of a Gateway \(networking\.istio\.io\) has no equivalent/],
  },
  {
    it: "a listener for HTTPRoutes of another group takes none of ours",
    authority: "Gateway API v1, AllowedRoutes.kinds: RouteGroupKind has a group",
    files: {
      "it.yaml": all(
        gateway(http.replace(" }", ", allowedRoutes: { kinds: [{ group: example.com, kind: HTTPRoute }] } }")),
        route(to("v1"), { hosts: "allowed.example", parent: "{ name: gw }" }),
      ),
    },
    leftOut: [/no listener takes this route/],
  },
  ...[
    ["{ group: example.com, kind: Bucket, name: v1 }", "bucket", /Bucket is not a Service/],
    [
      "{ group: serving.knative.dev, kind: Service, name: v1, port: 80 }",
      "serving",
      /Service of serving\.knative\.dev is no/,
    ],
    ["{ name: v1 }", "portless", /without a port/],
    [
      "{ name: v1, namespace: far, port: 80 }",
      "ungranted",
      /no ReferenceGrant lets shop refer to the Service v1 of far/,
    ],
  ].map(
    ([backend, name, says]): Source => ({
      it: `a backend that is ${backend} is answered 500, is listed, and the import ends with 1`,
      authority: backendRef,
      files: {
        "it.yaml": route(`{ backendRefs: [${backend}] }, ${to("v2", path("/sound"))}`, { hosts: `${name}.example` }),
      },
      leftOut: [says as RegExp],
      asks: [
        [`http://${name}.example/`, 500],
        [`http://${name}.example/sound`, "v2"],
      ],
    }),
  ),
  {
    it: "a ServiceImport is a backend with a variable of its own, beside the Service of the same name",
    authority: "GEP-1748, Gateway API Interaction with Multi-Cluster Services",
    files: {
      "it.yaml": route(
        "{ backendRefs: [{ group: multicluster.x-k8s.io, kind: ServiceImport, name: v1, port: 80 }, { name: v1, port: 80 }] }",
        { hosts: "clusters.example" },
      ),
    },
    values: ["service-import-shop-v1-80", "service-shop-v1-80"],
  },
  {
    it: "a ReferenceGrant for Services lets nobody refer to a ServiceImport",
    authority: "Gateway API v1beta1, ReferenceGrantTo: group and kind count",
    files: {
      "it.yaml": all(
        route(far.replace("name: v1", "group: multicluster.x-k8s.io, kind: ServiceImport, name: v1"), {
          hosts: "import-far.example",
        }),
        grant("group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: shop"),
      ),
    },
    leftOut: [/no ReferenceGrant lets shop refer to the ServiceImport v1 of far/],
    asks: [["http://import-far.example/", 500]],
  },
  {
    it: "weights of zero alone are answered 500",
    authority: "Gateway API v1, BackendRef.weight: with zero, no traffic is forwarded",
    files: { "it.yaml": route("{ backendRefs: [{ name: v1, port: 80, weight: 0 }] }", { hosts: "zero.example" }) },
    asks: [["http://zero.example/", 500]],
  },
  {
    it: "a ReferenceGrant for this namespace's HTTPRoutes lets them refer",
    authority: "Gateway API v1beta1, ReferenceGrant",
    files: {
      "it.yaml": all(
        route(far, { hosts: "granted.example" }),
        grant("group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: shop"),
      ),
    },
    asks: [["http://granted.example/", "v1"]],
  },
  ...["kind: GRPCRoute, namespace: shop", "kind: HTTPRoute, namespace: other"].map(
    (from, index): Source => ({
      it: `a ReferenceGrant for ${from} lets no HTTPRoute of shop refer`,
      authority: "Gateway API v1beta1, ReferenceGrantFrom: group, kind and namespace all count",
      files: {
        "it.yaml": all(
          route(far, { hosts: `grant-${index}.example` }),
          grant(`group: gateway.networking.k8s.io, ${from}`),
        ),
      },
      leftOut: [/no ReferenceGrant/],
      asks: [[`http://grant-${index}.example/`, 500]],
    }),
  ),
  {
    it: "Deployments, Secrets, ConfigMaps and custom resources beside a route are nothing that is left out",
    authority: "Gateway API, overview: the kinds of the API; workloads are none of them",
    files: {
      "it.yaml": all(
        route(to("v1"), { hosts: "beside.example" }),
        workload("apps/v1", "Deployment"),
        workload("v1", "Secret"),
        workload("v1", "ConfigMap"),
        workload("cert-manager.io/v1", "Certificate"),
        workload("autoscaling/v2", "HorizontalPodAutoscaler"),
        policy("flagger.app/v1beta1", "Canary", "targetRef: { apiVersion: apps/v1, kind: Deployment, name: shop }"),
      ),
    },
    asks: [["http://beside.example/", "v1"]],
  },
  ...[
    [
      "gateway.envoyproxy.io/v1alpha1",
      "SecurityPolicy",
      "targetRefs: [{ group: gateway.networking.k8s.io, kind: HTTPRoute, name: app }]",
    ],
    [
      "security.istio.io/v1",
      "RequestAuthentication",
      "targetRef: { group: gateway.networking.k8s.io, kind: Gateway, name: gw }",
    ],
    [
      "gateway.kgateway.dev/v1alpha1",
      "TrafficPolicy",
      "targetSelectors: [{ group: gateway.networking.k8s.io, kind: HTTPRoute, matchLabels: { a: b } }]",
    ],
  ].map(
    ([version = "", kind = "", target = ""]): Source => ({
      it: `a ${kind} that is attached to a route or its Gateway is listed: it may be what asks clients who they are`,
      authority:
        "GEP-713, Policy Attachment: a policy names what it changes by targetRef, targetRefs or targetSelectors",
      files: {
        "it.yaml": all(route(to("v1"), { hosts: `${kind.toLowerCase()}.example` }), policy(version, kind, target)),
      },
      leftOut: [new RegExp(`${kind} is not read: what it adds to`)],
    }),
  ),
  {
    it: "a plugin that an annotation adds to a route is listed",
    authority: "docs.konghq.com, Kubernetes Ingress Controller: konghq.com/plugins",
    files: {
      "it.yaml": route(to("v1"), {
        hosts: "plugin.example",
        metadata: ', annotations: { konghq.com/plugins: key-auth, kubectl.kubernetes.io/restartedAt: "1" }',
      }),
    },
    leftOut: [/the annotation konghq\.com\/plugins has no equivalent/],
  },
  ...["GRPCRoute", "TLSRoute", "TCPRoute", "BackendTLSPolicy", "ListenerSet"].map(
    (kind): Source => ({
      it: `a ${kind} is not read, and listed`,
      authority: `Gateway API, ${kind}`,
      files: {
        "it.yaml": all(
          route(to("v1"), { hosts: `${kind.toLowerCase()}.example` }),
          workload("gateway.networking.k8s.io/v1", kind),
        ),
      },
      leftOut: [new RegExp(`${kind} is not read`)],
    }),
  ),
  ...["v1beta1", "v1alpha2"].map(
    (version): Source => ({
      it: `${version} is read as v1 is`,
      authority: "Gateway API, versioning: HTTPRoute has the same shape in both",
      files: {
        "it.yaml": route(to("v1"), { hosts: `${version}.example`, version: `gateway.networking.k8s.io/${version}` }),
      },
      asks: [[`http://${version}.example/`, "v1"]],
    }),
  ),
  {
    it: "a version that is not known is listed",
    authority: "Gateway API, versioning",
    files: { "it.yaml": route(to("v1"), { hosts: "v9.example", version: "gateway.networking.k8s.io/v9" }) },
    leftOut: [/the version v9 of HTTPRoute is not known/],
  },
];
