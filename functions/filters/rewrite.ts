/** Changes the path, query and host of the request to the service. */
import * as z from "zod";
import { getFact, setFact, Target } from "../gateway/core/facts.ts";
import { compileTemplate, parsePathTemplate, parseTemplate, percentEncoded } from "../gateway/core/references.ts";
import type { Context, Guard } from "../gateway/core/types.ts";
import { replacePrefix } from "../gateway/http/prefix.ts";
import { parameterName } from "../gateway/http/query.ts";
import { type Config, defineFilter } from "../gateway/part.ts";
import { requirePath } from "../gateway/service/direct-response.ts";
import { host } from "../manifest/names.ts";
import { prefixes } from "../manifest/prefixes.ts";
import { checkWith } from "../manifest/refine.ts";

const parameter = () =>
  z.string().min(1, "a parameter has a name").max(64, "a parameter's name has 64 characters at most");

export const spec = () =>
  defineFilter({
    kind: "guard",
    phase: "content",
    schema: z
      .strictObject({
        path: z
          .string()
          .superRefine(checkWith(parsePathTemplate))
          .regex(/^\/[^?#\s\\]*$/, "a path begins with / and has no query")
          .optional()
          .describe("The whole path, which may hold references: `/accounts/{path.id}`"),
        ...prefixes(),
        host: host()
          .optional()
          .describe(
            "The host for the service, in x-forwarded-host, and for a Worker also in its request's URL; over HTTP the platform sets Host from the upstream's URL",
          ),
        query: z
          .strictObject({
            set: z
              .record(parameter(), z.string().superRefine(checkWith(parseTemplate)))
              .default({})
              .describe(
                "Parameters and their values, which may hold references; when a reference has no value, the parameter is removed",
              ),
            remove: z.array(parameter()).default([]).describe("Parameters to remove"),
            keep: z.array(parameter()).optional().describe("The only parameters of the client that are forwarded"),
          })
          .prefault({})
          .describe("Changes of the query; other parameters are forwarded unchanged"),
      })
      .refine(
        (it) => it.path === undefined || (it["strip-prefix"] ?? it["put-prefix"]) === undefined,
        "give `path` or prefixes",
      ),
    example: { "strip-prefix": "/wallet/v1", query: { set: { account: "{path.id}" }, remove: ["debug"] } },
    codes: {},
    references: ({ path, query }) => [
      ...(path === undefined ? [] : [{ path: ["path"], text: path }]),
      ...Object.entries(query.set).map(([name, text]) => ({ path: ["query", "set", name], text })),
    ],
    security: () => ({ rewritesPath: true }),
  });

export const make = (config: Config<typeof spec>): Guard => {
  const path = pathOf(config);
  const search = searchOf(config.query);
  const { host } = config;
  return (request, context) => {
    const before = getFact(context, Target);
    const target = { path: path(request, context), search: search(request, context) };
    setFact(context, Target, {
      path: target.path ?? before?.path,
      search: target.search ?? before?.search,
      host: host ?? before?.host,
    });
    if (host !== undefined) context.outbound.push(["set", "x-forwarded-host", host]);
    return undefined;
  };
};

type Part = (request: Request, context: Context) => string | undefined;

const pathOf = ({ path, "strip-prefix": strip, "put-prefix": put }: Config<typeof spec>): Part => {
  if (path !== undefined) {
    const target = compileTemplate(path, "path");
    return (request, context) => requirePath(target(request, context));
  }
  if (strip === undefined && put === undefined) return () => undefined;
  return (_, context) => replacePrefix(getFact(context, Target)?.path ?? context.url.pathname, strip, put);
};

const searchOf = ({ set, remove, keep }: Config<typeof spec>["query"]): Part => {
  const values = Object.entries(set).map(([name, text]) => [name, compileTemplate(text, "query")] as const);
  const removedNames = new Set([...remove, ...Object.keys(set)]);
  const keptNames = keep && new Set(keep);
  if (removedNames.size === 0 && !keptNames) return () => undefined;
  return (request, context) => {
    const before = getFact(context, Target)?.search ?? context.url.search;
    // Keeps the remaining parameters byte for byte, since services parse queries differently.
    const pairs = before
      .slice(1)
      .split("&")
      .filter(
        (pair) =>
          pair !== "" && !removedNames.has(parameterName(pair)) && (!keptNames || keptNames.has(parameterName(pair))),
      );
    for (const [name, value] of values) {
      const text = value(request, context);
      if (text !== undefined) pairs.push(`${encodeURIComponent(name)}=${percentEncoded(text)}`);
    }
    return pairs.length > 0 ? `?${pairs.join("&")}` : "";
  };
};
