/** Changes the path and the query that the service is asked for. */
import * as z from "zod";
import { filled } from "../gateway/answers.ts";
import { explain } from "../gateway/complaint.ts";
import { known, learn, Target } from "../gateway/facts.ts";
import { aboutFilter, type Config } from "../gateway/part.ts";
import { canonicalPath } from "../gateway/path.ts";
import { piecesOf, pathOf as readPath, template } from "../gateway/references.ts";
import type { Context, Guard } from "../gateway/types.ts";

const parameter = () =>
  z.string().min(1, "a parameter has a name").max(64, "a parameter's name has 64 characters at most");

const isCanonical = (path: string): boolean => canonicalPath(new URL(path, "https://any.example").pathname) === path;

export const spec = () =>
  aboutFilter({
    kind: "guard",
    phase: "content",
    schema: z
      .strictObject({
        path: z
          .string()
          .superRefine(explain(readPath))
          .regex(/^\/[^?#\s\\]*$/, "a path begins with / and has no query")
          .optional()
          .describe("The whole path, which may hold references: `/accounts/{path.id}`"),
        "strip-prefix": z
          .string()
          .regex(/^(?:\/[\w.~!$&'()*+,;=:@%-]+)+$/, "a prefix begins with / and does not end with one: /wallet/v1")
          .refine(isCanonical, "a prefix as a path is matched: no dot segments, nothing encoded that need not be")
          .optional()
          .describe("What is taken from the path's beginning; a path that does not begin so stays as it is"),
        query: z
          .strictObject({
            set: z
              .record(parameter(), z.string().superRefine(explain(piecesOf)))
              .default({})
              .describe(
                "Parameters and their values, which may hold references; where one is missing, the parameter is removed",
              ),
            remove: z.array(parameter()).default([]).describe("Parameters to remove"),
            keep: z.array(parameter()).optional().describe("The only parameters of the client's that go on"),
          })
          .prefault({})
          .describe("The query; what is not named here goes on as it came"),
      })
      .refine((it) => it.path === undefined || it["strip-prefix"] === undefined, "give `path` or `strip-prefix`"),
    example: { "strip-prefix": "/wallet/v1", query: { set: { account: "{path.id}" }, remove: ["debug"] } },
    codes: {},
    references: ({ path, query }) => [
      ...(path === undefined ? [] : [{ path: ["path"], text: path }]),
      ...Object.entries(query.set).map(([name, text]) => ({ path: ["query", "set", name], text })),
    ],
  });

export const make = (config: Config<typeof spec>): Guard => {
  const path = pathOf(config);
  const search = searchOf(config.query);
  return (request, context) => {
    const before = known(context, Target);
    const target = { path: path(request, context), search: search(request, context) };
    learn(context, Target, { path: target.path ?? before?.path, search: target.search ?? before?.search });
    return undefined;
  };
};

type Part = (request: Request, context: Context) => string | undefined;

const pathOf = ({ path, "strip-prefix": prefix }: Config<typeof spec>): Part => {
  if (path !== undefined) {
    const target = template(path, "path");
    return (request, context) => filled(target(request, context));
  }
  if (prefix === undefined) return () => undefined;
  return (_, context) => {
    const whole = known(context, Target)?.path ?? context.url.pathname;
    if (whole === prefix) return "/";
    return whole.startsWith(`${prefix}/`) ? whole.slice(prefix.length) : undefined;
  };
};

const searchOf = ({ set, remove, keep }: Config<typeof spec>["query"]): Part => {
  const values = Object.entries(set).map(([name, text]) => [name, template(text, "query")] as const);
  const dropped = new Set([...remove, ...Object.keys(set)]);
  const kept = keep && new Set(keep);
  if (dropped.size === 0 && !kept) return () => undefined;
  return (request, context) => {
    const before = known(context, Target)?.search ?? context.url.search;
    // What goes on goes on as it was written: services differ in what they take for the same.
    const pairs = before
      .slice(1)
      .split("&")
      .filter((pair) => pair !== "" && !dropped.has(nameOf(pair)) && (!kept || kept.has(nameOf(pair))));
    for (const [name, value] of values) {
      const written = value(request, context);
      if (written !== undefined) pairs.push(`${encodeURIComponent(name)}=${encodeURIComponent(written)}`);
    }
    return pairs.length > 0 ? `?${pairs.join("&")}` : "";
  };
};

/** As the URL standard reads it, which takes one `?` at the beginning for none of the query's. */
const nameOf = (pair: string): string => [...new URLSearchParams(`?${pair}`).keys()][0] ?? "";
