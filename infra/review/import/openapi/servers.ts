/** Where an OpenAPI document says that its API is served, as upstreams. */
import { type JsonMap, listOf, mapOf, stringIn } from "../../../openapi/document.ts";
import { distinct, kebab } from "./names.ts";

/** The URL of the first server of a list, its variables at their defaults; undefined where there is none that is absolute. */
export const serverOf = (value: JsonMap): URL | undefined => {
  const [first] = listOf(value.servers).map(mapOf);
  if (!first) return undefined;
  const variables = mapOf(first.variables);
  const text = (stringIn(first, "url") ?? "").replaceAll(
    /\{([^{}]+)\}/g,
    (_, name: string) => stringIn(mapOf(variables[name]), "default") ?? "",
  );
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return url && /^https?:$/.test(url.protocol) ? url : undefined;
};

export const pathOfServer = ({ pathname }: URL): string => pathname.replace(/\/+$/, "") || "/";

/** Names for servers, each named once. */
export const upstreamNames = () => {
  const name = distinct();
  const known = new Map<string, string>();
  return {
    nameOf: (url: string): string => {
      const called = known.get(url) ?? name(kebab(new URL(url).hostname.split(".")[0] ?? "") ?? "service");
      known.set(url, called);
      return called;
    },
    all: (): ReadonlyMap<string, string> => known,
  };
};
