/** The upstreams of an imported tier: one for each distinct way of calling a service. */
import { createHash } from "node:crypto";
import type { Settings } from "./filters.ts";
import type { ResolvedBackend } from "./resources/cluster.ts";
import { isPlaceholder } from "./resources/hostnames.ts";

export type BackendService = Exclude<ResolvedBackend, { invalid: string }>;

/** How services become URLs: a text with `{name}`, `{namespace}` and `{port}`, or else a variable for each. */
export type UrlTemplate = string | undefined;

export interface UpstreamSet {
  readonly urlOf: (service: BackendService) => string;
  /** The name of the upstream that calls a service this way. */
  readonly nameFor: (service: BackendService, settings: CallSettings) => string;
  /** The name of the one that answers 500. */
  readonly brokenName: () => string;
  readonly all: () => Record<string, Settings>;
}

export interface CallSettings {
  readonly headers?: Settings | undefined;
  readonly timeout?: string | undefined;
}

/** Variables of a whole import, so that tiers share them and no two things have the same. */
export interface VariableSet {
  /** The name of the variable for a thing, which is always the same. */
  readonly nameFor: (baseName: string, purpose: string) => string;
  /** What each is for. */
  readonly all: () => ReadonlyMap<string, string>;
}

export const createVariables = (): VariableSet => {
  const namesByPurpose = new Map<string, string>();
  const all = new Map<string, string>();
  return {
    nameFor: (baseName, purpose) => {
      const name = namesByPurpose.get(purpose) ?? uniqueName(baseName, (it) => all.has(it));
      namesByPurpose.set(purpose, name);
      all.set(name, purpose);
      return name;
    },
    all: () => all,
  };
};

export const createUpstreams = (template: UrlTemplate, variables: VariableSet): UpstreamSet => {
  const byKey = new Map<string, string>();
  const all = new Map<string, Settings>();
  const register = (baseName: string, key: string, written: () => Settings): string => {
    const known = byKey.get(key);
    if (known !== undefined) return known;
    const name = uniqueName(toName(baseName), (it) => all.has(it));
    byKey.set(key, name);
    all.set(name, written());
    return name;
  };
  const urlOf = (service: BackendService): string => {
    const { kind, namespace, name, port } = service;
    // A name that Flux completes is no part of a URL yet, and a ServiceImport is reached by another one.
    if (template !== undefined && kind === "Service" && !isPlaceholder(namespace + name))
      return fillTemplate(template, service);
    return `\${${variables.nameFor(variableName(service), `${kind} ${namespace}/${name}, port ${port}`)}}`;
  };
  return {
    urlOf,
    nameFor: (service, { headers, timeout }) => {
      const url = urlOf(service);
      const http = headers && Object.keys(headers).length > 0 ? { url, headers } : url;
      const written = { http, ...(timeout !== undefined && { timeout }) };
      return register(service.name, JSON.stringify(written), () => written);
    },
    brokenName: () => register("no-backend", "", () => ({ respond: { status: 500 } })),
    all: () => Object.fromEntries(all),
  };
};

const fillTemplate = (template: string, { namespace, name, port }: BackendService): string =>
  template.replaceAll("{namespace}", namespace).replaceAll("{name}", name).replaceAll("{port}", String(port));

/** What a variable's name may come to. */
const maxLength = 48;

/** `service-shop-orders-80`; where that is too long, a digest stands for what is cut away, so that no two services share a variable. */
const variableName = ({ kind, namespace, name, port }: BackendService): string => {
  const plain = (text: string) => text.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-");
  const prefix = kind === "Service" ? "service" : "service-import";
  const whole = plain(`${prefix}-${namespace}-${name}-${port}`);
  if (whole.length <= maxLength) return whole;
  const digest = createHash("sha256")
    .update(`${kind === "Service" ? "" : kind}${namespace}/${name}:${port}`)
    .digest("hex")
    .slice(0, 8);
  const end = `-${port}-${digest}`;
  return (
    plain(`${prefix}-${name}`)
      .slice(0, maxLength - end.length)
      .replace(/-+$/, "") + end
  );
};

/** A name of the manifest language that is near to one of Kubernetes: begins with a letter, and holds no two hyphens in a row. */
export const toName = (text: string): string => {
  const name = text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replace(/^-/, "");
  const stem = /^[a-z]/.test(name) ? name : `x-${name}`;
  return stem.slice(0, 44).replace(/-$/, "");
};

/** With a number behind it where it is taken. */
export const uniqueName = (name: string, isTaken: (name: string) => boolean): string => {
  if (!isTaken(name)) return name;
  const stem = name.slice(0, 43).replace(/-$/, "");
  for (let number = 2; ; number++) if (!isTaken(`${stem}-${number}`)) return `${stem}-${number}`;
};
