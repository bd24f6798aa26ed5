/** Folders of Kustomize and Flux, which set namespaces for their resources. */
import { route, type Source, to } from "./resources.ts";

const plainly = (name: string) => route(to("v1"), { hosts: `${name}.example`, name });
const asksFor = (...hosts: string[]) => hosts.map((it) => [`http://${it}.example/`, "v1"] as const);
const unplaced = (text: string): string => text.replace(", namespace: shop", "");
const flux = (folder: string, more: string): string =>
  `apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: { name: it }\nspec: { path: ./${folder}${more} }\n`;
/** Without a namespace of its own, to a Service that only its own namespace may name. */
const far = (host: string): string =>
  unplaced(
    route("{ backendRefs: [{ name: v1, port: 80, namespace: far }] }", { hosts: `${host}.example`, name: host }),
  );

export const folders: readonly Source[] = [
  {
    it: "the namespace of a Kustomization, and of the one around it, is that of its routes",
    authority: "Kustomize, namespace: it is set on all resources; the outer one is set last",
    files: {
      "outer/kustomization.yaml": "namespace: far\nresources: [inner, own.yaml]\n",
      "outer/own.yaml": far("kust-own"),
      "outer/inner/kustomization.yml":
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nnamespace: other\nresources: [./it.yaml]\n",
      "outer/inner/it.yaml": far("kust-inner"),
      "alone/kustomization.yaml": "namespace: far\nresources: [it.yaml]\n",
      "alone/it.yaml": far("kust-alone"),
    },
    asks: asksFor("kust-own", "kust-inner", "kust-alone"),
  },
  {
    it: "the targetNamespace of Flux is that of the folder that its path names",
    authority: "fluxcd.io, Kustomization: spec.targetNamespace; onedr0p/home-ops, flux-instance: github-webhook",
    files: {
      "kubernetes/apps/far/kustomization.yaml": "namespace: other\nresources: [namespace.yaml, app/ks.yaml]\n",
      "kubernetes/apps/far/namespace.yaml": "apiVersion: v1\nkind: Namespace\nmetadata: { name: _ }\n",
      "kubernetes/apps/far/app/ks.yaml": flux("kubernetes/apps/far/app/app", ", targetNamespace: far"),
      "kubernetes/apps/far/app/app/kustomization.yaml": "resources: [./it.yaml]\n",
      "kubernetes/apps/far/app/app/it.yaml": far("flux-app"),
      "kubernetes/apps/bare/ks.yaml": flux("kubernetes/apps/bare/app", ", targetNamespace: far"),
      "kubernetes/apps/bare/app/deep/it.yaml": far("flux-bare"),
      "kubernetes/apps/bare/namespace.yaml":
        "apiVersion: v1\nkind: Namespace\nmetadata: { name: _, annotations: { a: b } }\n",
    },
    asks: asksFor("flux-app", "flux-bare"),
  },
  {
    it: "a base that two overlays put into namespaces of their own is listed",
    authority: "Kustomize, bases and overlays",
    files: {
      "base/kustomization.yaml": "resources: [it.yaml, namespace.yaml]\n",
      "base/it.yaml": unplaced(plainly("kust-base")),
      "base/namespace.yaml": "apiVersion: v1\nkind: Namespace\nmetadata: { name: _ }\n",
      "overlays/a/kustomization.yaml": "namespace: a\nresources: [../../base]\n",
      "overlays/b/kustomization.yaml": "namespace: b\nresources: [../../base]\n",
    },
    leftOut: [/Kustomize puts it into a and b; import what `kustomize build` makes/],
    asks: asksFor("kust-base"),
  },
  {
    it: "patches and prefixes of a Kustomization are listed where they change what is read, and a patch is no route",
    authority: "Kustomize, patches, namePrefix; the example of a Deployment's patch",
    files: {
      "base/kustomization.yaml": "resources: [it.yaml]\n",
      "base/it.yaml": plainly("kust-patched"),
      "overlay/kustomization.yaml": `namePrefix: x-
resources: [../base]
patches:
  - path: route.yaml
  - { target: { kind: Deployment }, patch: "[]" }
  - patch: |
      kind: HTTPRoute
      metadata: { name: kust-patched }
`,
      "overlay/route.yaml": route(to("v2"), { hosts: "kust-patched.example", name: "kust-patched" }),
      "other/kustomization.yaml":
        "resources: [it.yaml]\npatches: [{ target: { kind: Deployment }, patch: '[]' }, { patch: 'kind: Deployment' }]\n",
      "other/it.yaml": plainly("kust-other"),
    },
    leftOut: [
      /it is a patch of Kustomize; import what/,
      /patches of Kustomize has no equivalent/,
      /namePrefix of Kustomize has no equivalent/,
    ],
    asks: [...asksFor("kust-patched", "kust-other")],
  },
];
