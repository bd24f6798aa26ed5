/** What a route can answer in place of its service: problems by status, as OpenAPI responses. */
import { type Codes, gatewayCodes } from "../../../functions/gateway/core/problems.ts";
import { upstreamsUsed } from "../../compiler/lower/gates.ts";
import type { CheckedRoute, CheckedTier } from "../../compiler/model/checked.ts";
import type { JsonMap } from "../../openapi/document.ts";

/** RFC 9457, with what every problem of a gate has besides. */
export const problemSchema: JsonMap = {
  type: "object",
  required: ["type", "title", "status", "code", "request-id"],
  properties: {
    type: { type: "string", description: "urn:postern:problem:<code>" },
    title: { type: "string" },
    status: { type: "integer" },
    code: { type: "string", description: "Stable; to be handled by" },
    detail: { type: "string" },
    errors: { type: "array", items: { type: "object" }, description: "Each thing that is wrong with what was sent" },
    "request-id": { type: "string" },
  },
};

const always = ["client-busy", "gate-busy", "gate-unavailable", "internal"] as const;

/** By status, codes and what they mean. */
export const problemsOf = (
  tier: CheckedTier,
  route: CheckedRoute,
): ReadonlyMap<number, readonly [string, string][]> => {
  const upstreams = upstreamsUsed(route).flatMap((name) => tier.upstreams[name] ?? []);
  const filters = route.chain.filter(({ mode }) => mode === "enforce");
  const parts = [...filters, ...upstreams].map(({ about, config }): Codes => {
    const never: readonly string[] = about.never?.(config) ?? [];
    const codes = Object.entries(about.codes as Codes);
    return Object.fromEntries(codes.filter(([code]) => !never.includes(code)));
  });
  const own = [...always, ...(route.settings.closed ? (["route-closed"] as const) : [])];
  const all = Object.assign({}, ...parts, Object.fromEntries(own.map((code) => [code, gatewayCodes[code]]))) as Codes;
  const told = Object.entries(all).map(([code, { status, title }]) => ({ code, status, title }));
  const groups = [...Map.groupBy(told, ({ status }) => status)].toSorted(([a], [b]) => a - b);
  return new Map(groups.map(([status, some]) => [status, some.map(({ code, title }) => [code, title])]));
};

/** Puts the gate's problems beside what the service answers with the same status. */
export const withProblems = (
  responses: Readonly<Record<string, JsonMap>>,
  problems: ReadonlyMap<number, readonly [string, string][]>,
): Record<string, JsonMap> => {
  const all: Record<string, JsonMap> = { ...responses };
  for (const [status, codes] of problems) {
    const own = all[String(status)];
    const said = codes.map(([code, title]) => `${title} (\`${code}\`)`).join("; ");
    const content = { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } };
    const before = own && typeof own.description === "string" && own.description !== "" ? `${own.description} ` : "";
    all[String(status)] = {
      ...own,
      description: own ? `${before}Of the gate: ${said}` : said,
      content: { ...(own?.content as JsonMap | undefined), ...content },
      ...(status === 429 && { headers: { ...(own?.headers as JsonMap | undefined), ...limitHeaders } }),
    };
  }
  return all;
};

const header = (description: string): JsonMap => ({ description, schema: { type: "string" } });

/** draft-ietf-httpapi-ratelimit-headers */
const limitHeaders: JsonMap = {
  "Retry-After": header("Seconds until there is room again"),
  RateLimit: header("What is left of each limit, and until when"),
  "RateLimit-Policy": header("The limits"),
};
