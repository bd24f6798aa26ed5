/** Files and folders as they are found: charts, overlays, lists, line ends of other systems. */
import { all, gateway, http, path, route, type Source, to } from "./resources.ts";

const yaml = "YAML 1.2.2, 5.2 (byte order mark), 5.4 (line breaks), 9.2 (streams of documents)";
const kubectl = "kubernetes.io, kubectl reference: a list of resources, `-o json`, `--recursive`";

const plainly = (name: string) => route(to("v1"), { hosts: `${name}.example`, name });

const chart = `{{- if .Values.route.enabled }}
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata:
  name: {{ include "shop.fullname" . }}
spec:
  hostnames: {{ toYaml .Values.route.hosts | nindent 4 }}
{{- end }}
`;

const asJson = (host: string) => ({
  apiVersion: "gateway.networking.k8s.io/v1",
  kind: "HTTPRoute",
  metadata: { name: host, namespace: "shop" },
  spec: { hostnames: [`${host}.example`], rules: [{ backendRefs: [{ name: "v1", port: 80 }] }] },
});

const asksFor = (...hosts: string[]) => hosts.map((it) => [`http://${it}.example/`, "v1"] as const);

export const files: readonly Source[] = [
  {
    it: "folders are read to their ends, .yaml, .yml and .json",
    authority: kubectl,
    files: {
      "top.yaml": plainly("top"),
      "a/b/c/deep.yml": plainly("deep"),
      "a/it.json": JSON.stringify(asJson("json"), null, "\t"),
      "a/readme.md": chart,
    },
    asks: asksFor("top", "deep", "json"),
  },
  {
    it: "a byte order mark, carriage returns, comments, empty documents and ends of documents",
    authority: yaml,
    files: {
      "bom.yaml": `\uFEFF${plainly("bom")}`,
      "crlf.yaml":
        `# of another system\n---\n---\n${all(plainly("crlf"), "# nothing\n", plainly("crlf-2"))}...\n`.replaceAll(
          "\n",
          "\r\n",
        ),
    },
    asks: asksFor("bom", "crlf", "crlf-2"),
  },
  {
    it: "a List, a list of one kind, and lists in lists",
    authority: kubectl,
    files: {
      "list.json": JSON.stringify({
        apiVersion: "v1",
        kind: "List",
        items: [asJson("list"), { apiVersion: "v1", kind: "List", items: [asJson("inner")] }],
      }),
      "typed.json": JSON.stringify({
        apiVersion: "gateway.networking.k8s.io/v1",
        kind: "HTTPRouteList",
        metadata: { resourceVersion: "1" },
        items: [{ ...asJson("typed"), apiVersion: undefined, kind: undefined }],
      }),
    },
    asks: asksFor("list", "inner", "typed"),
  },
  {
    it: "anchors and merge keys, which Kubernetes reads",
    authority: "YAML 1.1, merge keys; sigs.k8s.io/yaml",
    files: {
      "it.yaml": `apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: merged, namespace: shop }
spec:
  hostnames: [merged.example]
  rules:
    - { matches: [{ path: { value: /a } }], backendRefs: &there [{ name: v1, port: 80 }] }
    - <<: { backendRefs: *there }
      matches: [{ path: { value: /b } }]
`,
    },
    asks: [
      ["http://merged.example/a", "v1"],
      ["http://merged.example/b", "v1"],
    ],
  },
  {
    it: "a chart's template is listed, and the files beside it are imported",
    authority: "helm.sh, Chart Template Guide: templates are no YAML before they are rendered",
    files: {
      "chart/templates/route.yaml": chart,
      "chart/values.yaml": "route: { enabled: true }\n",
      "it.yaml": plainly("chart"),
    },
    leftOut: [/is a template; render it/],
    asks: asksFor("chart"),
  },
  {
    it: "a template of a workload, or a file that is no YAML, leaves no route out",
    authority: "helm.sh, Chart Template Guide",
    files: {
      "deployment.yaml": chart.replace("HTTPRoute", "Deployment").replace("gateway.networking.k8s.io/v1", "apps/v1"),
      "it.yaml": plainly("workload"),
    },
    asks: asksFor("workload"),
  },
  {
    it: "a template that is YAML, since it stands in quotes, is listed",
    authority: "helm.sh, Chart Template Guide",
    files: {
      "quoted.yaml": route(to("v1"), { hosts: '"{{ .Values.host }}"', name: "quoted" }),
      "named.yaml": route(to("v1"), { hosts: "named.example", name: "{{ .Release.Name }}" }),
      "it.yaml": plainly("rendered"),
    },
    leftOut: [/it is a template/, /it is a template/],
    asks: asksFor("rendered"),
  },
  {
    it: "one document of several that is broken is listed, and the others are imported",
    authority: yaml,
    files: { "it.yaml": all(plainly("before"), "kind: HTTPRoute\nspec: { rules: [\n", plainly("after")) },
    leftOut: [/is not valid YAML/],
    asks: asksFor("before", "after"),
  },
  {
    it: "what a base and an overlay define both is read once, and listed where they differ",
    authority: "kubernetes.io, kubectl apply: what is applied later holds",
    files: {
      "1-base/it.yaml": plainly("overlay"),
      "2-same/it.yaml": plainly("overlay"),
      "3-overlay/it.yaml": route(to("v2"), { hosts: "overlay.example", name: "overlay" }),
    },
    leftOut: [/it is defined again in .*3-overlay\/it\.yaml/],
    asks: [["http://overlay.example/", "v2"]],
  },
  {
    it: "routes in files of namespaces of their own find the Gateway in its file",
    authority: "Gateway API v1, ParentReference.namespace; AllowedRoutes.namespaces",
    files: {
      "infra/gateway.yaml": gateway(http.replace(" }", ", allowedRoutes: { namespaces: { from: All } } }")),
      "apps/far.yaml": route(to("v1", path("/far")), {
        hosts: "spaces.example",
        namespace: "far",
        parent: "{ name: gw, namespace: shop }",
      }),
      "apps/lost.yaml": route(to("v2", path("/lost")), {
        hosts: "spaces.example",
        name: "lost",
        parent: "{ name: gw }",
      }),
    },
    asks: [
      ["http://spaces.example/far", "v1"],
      ["http://spaces.example/lost", "v2"],
    ],
  },
  {
    it: "UTF-16, as PowerShell writes it, and files that were put together with their byte order marks",
    authority: "Microsoft, about_Character_Encoding: Windows PowerShell's > writes UTF-16; Unicode 16, 23.8",
    files: {
      "utf16.yaml": Buffer.from(`\uFEFF${plainly("utf16")}`, "utf16le"),
      "joined.yaml": `\uFEFF${plainly("joined")}\uFEFF---\n${plainly("joined-2")}`,
    },
    asks: asksFor("utf16", "joined", "joined-2"),
  },
  {
    it: "what is null is not there",
    authority: "kubernetes.io, API concepts: null is the absence of a value",
    files: {
      "it.yaml": `apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: nulls, namespace: ~ }
spec:
  parentRefs: ~
  hostnames: [nulls.example]
  rules:
    - name: ~
      matches: ~
      filters: ~
      timeouts: ~
      backendRefs: [{ name: v1, port: 80, weight: ~, namespace: ~, kind: ~, filters: ~ }]
`,
    },
    asks: asksFor("nulls"),
  },
  {
    it: "a route in the values of a chart, or in a task of Ansible, is listed; what stands in a comment is nothing",
    authority: "kubernetes.io, objects: apiVersion and kind are required",
    files: {
      "values.yaml": `extraObjects:\n  - ${plainly("values").trim().replaceAll("\n", "\n    ")}\n`,
      "comment.yaml": `${plainly("comment").replaceAll(/^/gm, "# ")}\nreplicas: 2\n`,
      "package.json": '{ "name": "x" }',
      "it.yaml": plainly("beside-values"),
    },
    leftOut: [/is not a resource: apiVersion and kind are not at its top level/],
    asks: asksFor("beside-values"),
  },
  {
    it: "a port that is none leaves its route out, and makes no URL of it",
    authority: "Gateway API v1, PortNumber: 1 to 65535; hack/invalid-examples, invalid-backend-port.yaml",
    files: {
      "it.yaml": all(
        plainly("port"),
        route("{ backendRefs: [{ name: v1, port: 80800 }] }", { hosts: "port-2.example", name: "port-2" }),
      ),
    },
    leftOut: [/backendRefs.0.port: Too big/],
    asks: asksFor("port"),
  },
];
