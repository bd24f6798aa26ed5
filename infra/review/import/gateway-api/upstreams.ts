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
  /** The name of the upstream that answers 500. */
  readonly brokenName: () => string;
  readonly all: () => Record<string, Settings>;
}

export interface CallSettings {
  readonly headers?: Settings | undefined;
  readonly timeout?: string | undefined;
}

/** The variables of a whole import: tiers share them, and each has one meaning. */
export interface VariableSet {
  /** The name of the variable for a subject, always the same. */
  readonly nameFor: (baseName: string, purpose: string) => string;
  /** The purpose of each. */
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
    // A name that Flux completes cannot be in a URL yet, and a ServiceImport has another address.
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

/** Maximum length of a variable's name. */
const maxLength = 48;

/** `service-shop-orders-80`. A long name is truncated and ends in a digest, so that no two services share a variable. */
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

/** Converts a Kubernetes name to a name of the manifest language: it begins with a letter, without consecutive hyphens. */
export const toName = (text: string): string => {
  const name = text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replace(/^-/, "");
  const stem = /^[a-z]/.test(name) ? name : `x-${name}`;
  return stem.slice(0, 44).replace(/-$/, "");
};

/** Appends a number if the name is in use. */
export const uniqueName = (name: string, isTaken: (name: string) => boolean): string => {
  if (!isTaken(name)) return name;
  const stem = name.slice(0, 43).replace(/-$/, "");
  for (let number = 2; ; number++) if (!isTaken(`${stem}-${number}`)) return `${stem}-${number}`;
};
