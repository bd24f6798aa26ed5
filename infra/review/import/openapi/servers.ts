/** Reads the servers of an OpenAPI document as upstreams. */
import { type JsonMap, listOf, mapOf, stringIn } from "../../../openapi/document.ts";
import { createUniqueNames, toKebabCase } from "./names.ts";

/** The URL of the first server of a list, with the defaults of its variables; undefined if none is absolute. */
export const firstServerUrl = (value: JsonMap): URL | undefined => {
  const { text, variables } = firstServer(value);
  if (variables.some((it) => it.value === undefined)) return undefined;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return url && /^https?:$/.test(url.protocol) ? url : undefined;
};

export interface ServerVariable {
  readonly name: string;
  /** Undefined if it has no default, so the URL is unknown. */
  readonly value: string | undefined;
}

/** The text of its URL, empty if there is none, and its variables. */
export const firstServer = (
  value: JsonMap,
): { readonly text: string; readonly variables: readonly ServerVariable[] } => {
  const first = mapOf(listOf(value.servers)[0]);
  const urlTemplate = stringIn(first, "url") ?? "";
  const names = [...urlTemplate.matchAll(variablePattern)].map(([, name = ""]) => name);
  const variables = [...new Set(names)].map((name) => ({ name, value: defaultText(mapOf(first.variables)[name]) }));
  const values = new Map(variables.map((it) => [it.name, it.value]));
  return {
    text: urlTemplate.replaceAll(variablePattern, (whole, name: string) => values.get(name) ?? whole),
    variables,
  };
};

const variablePattern = /\{([^{}]+)\}/g;

/** YAML reads `default: 8443` as a number. */
const defaultText = (value: unknown): string | undefined => {
  const { default: text } = mapOf(value);
  return typeof text === "string" || typeof text === "number" ? String(text) : undefined;
};

export const serverPath = ({ pathname }: URL): string => pathname.replace(/\/+$/, "") || "/";

/** Unique names for servers. */
export const createUpstreamNames = () => {
  const name = createUniqueNames();
  const known = new Map<string, string>();
  return {
    nameOf: (url: string): string => {
      const upstreamName = known.get(url) ?? name(toKebabCase(new URL(url).hostname.split(".")[0] ?? "") ?? "service");
      known.set(url, upstreamName);
      return upstreamName;
    },
    all: (): ReadonlyMap<string, string> => known,
  };
};
