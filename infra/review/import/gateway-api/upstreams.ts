/** The upstreams of a tier: one for each way in which its routes call a service. */
import { createHash } from "node:crypto";
import type { Written } from "./filters.ts";
import type { Resolved } from "./resources/cluster.ts";
import { isPlaceholder } from "./resources/hostnames.ts";

export type Service = Exclude<Resolved, { invalid: string }>;

/** How services become URLs: a text with `{name}`, `{namespace}` and `{port}`, or else a variable for each. */
export type UrlRule = string | undefined;

export interface Upstreams {
  readonly urlOf: (service: Service) => string;
  /** The name of the upstream that calls a service this way. */
  readonly use: (service: Service, how: How) => string;
  /** The name of the one that answers 500. */
  readonly broken: () => string;
  readonly written: () => Record<string, Written>;
}

export interface How {
  readonly headers?: Written | undefined;
  readonly timeout?: string | undefined;
}

/** Variables of a whole import, so that tiers share them and no two things have the same. */
export interface Variables {
  /** The name of the variable for a thing, which is always the same. */
  readonly of: (wanted: string, what: string) => string;
  /** What each is for. */
  readonly all: () => ReadonlyMap<string, string>;
}

export const variablesOf = (): Variables => {
  const byWhat = new Map<string, string>();
  const all = new Map<string, string>();
  return {
    of: (wanted, what) => {
      const name = byWhat.get(what) ?? distinct(wanted, (it) => all.has(it));
      byWhat.set(what, name);
      all.set(name, what);
      return name;
    },
    all: () => all,
  };
};

export const upstreamsOf = (rule: UrlRule, variables: Variables): Upstreams => {
  const byKey = new Map<string, string>();
  const all = new Map<string, Written>();
  const named = (wanted: string, key: string, written: () => Written): string => {
    const known = byKey.get(key);
    if (known !== undefined) return known;
    const name = distinct(nameOf(wanted), (it) => all.has(it));
    byKey.set(key, name);
    all.set(name, written());
    return name;
  };
  const urlOf = (service: Service): string => {
    const { kind, namespace, name, port } = service;
    // A name that Flux completes is no part of a URL yet, and a ServiceImport is reached by another one.
    if (rule !== undefined && kind === "Service" && !isPlaceholder(namespace + name)) return filled(rule, service);
    return `\${${variables.of(variableOf(service), `${kind} ${namespace}/${name}, port ${port}`)}}`;
  };
  return {
    urlOf,
    use: (service, { headers, timeout }) => {
      const url = urlOf(service);
      const http = headers && Object.keys(headers).length > 0 ? { url, headers } : url;
      const written = { http, ...(timeout !== undefined && { timeout }) };
      return named(service.name, JSON.stringify(written), () => written);
    },
    broken: () => named("no-backend", "", () => ({ respond: { status: 500 } })),
    written: () => Object.fromEntries(all),
  };
};

const filled = (rule: string, { namespace, name, port }: Service): string =>
  rule.replaceAll("{namespace}", namespace).replaceAll("{name}", name).replaceAll("{port}", String(port));

/** What a variable's name may come to. */
const longest = 48;

/** `service-shop-orders-80`; where that is too long, a digest stands for what is cut away, so that no two services share a variable. */
const variableOf = ({ kind, namespace, name, port }: Service): string => {
  const plain = (text: string) => text.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-");
  const prefix = kind === "Service" ? "service" : "service-import";
  const whole = plain(`${prefix}-${namespace}-${name}-${port}`);
  if (whole.length <= longest) return whole;
  const digest = createHash("sha256")
    .update(`${kind === "Service" ? "" : kind}${namespace}/${name}:${port}`)
    .digest("hex")
    .slice(0, 8);
  const end = `-${port}-${digest}`;
  return (
    plain(`${prefix}-${name}`)
      .slice(0, longest - end.length)
      .replace(/-+$/, "") + end
  );
};

/** A name of the manifest language that is near to one of Kubernetes: begins with a letter, and holds no two hyphens in a row. */
export const nameOf = (text: string): string => {
  const name = text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replace(/^-/, "");
  const begun = /^[a-z]/.test(name) ? name : `x-${name}`;
  return begun.slice(0, 44).replace(/-$/, "");
};

/** With a number behind it where it is taken. */
export const distinct = (name: string, taken: (name: string) => boolean): string => {
  if (!taken(name)) return name;
  const begun = name.slice(0, 43).replace(/-$/, "");
  for (let number = 2; ; number++) if (!taken(`${begun}-${number}`)) return `${begun}-${number}`;
};
