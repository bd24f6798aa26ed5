/** The problems that a route's gate can answer, by status, as OpenAPI responses. */
import { type Codes, gatewayCodes } from "../../../functions/gateway/core/problems.ts";
import { usedUpstreams } from "../../compiler/lower/gates.ts";
import type { CheckedRoute, CheckedTier } from "../../compiler/model/checked.ts";
import type { JsonMap } from "../../openapi/document.ts";

/** The schema of a problem: RFC 9457 with the gate's extensions. */
export const problemSchema: JsonMap = {
  type: "object",
  required: ["type", "title", "status", "code", "request-id"],
  properties: {
    type: { type: "string", description: "urn:postern:problem:<code>" },
    title: { type: "string" },
    status: { type: "integer" },
    code: { type: "string", description: "Stable; to be handled by" },
    detail: { type: "string" },
    errors: { type: "array", items: { type: "object" }, description: "Each error of the request" },
    "request-id": { type: "string" },
  },
};

const alwaysPossible = ["client-busy", "gate-busy", "gate-unavailable", "internal"] as const;

/** Codes and titles by status. */
export const possibleProblems = (
  tier: CheckedTier,
  route: CheckedRoute,
): ReadonlyMap<number, readonly [string, string][]> => {
  const upstreams = usedUpstreams(route).flatMap((name) => tier.upstreams[name] ?? []);
  const filters = route.chain.filter(({ mode }) => mode === "enforce");
  const parts = [...filters, ...upstreams].map(({ spec, config }): Codes => {
    const never: readonly string[] = spec.impossibleCodes?.(config) ?? [];
    const codes = Object.entries(spec.codes as Codes);
    return Object.fromEntries(codes.filter(([code]) => !never.includes(code)));
  });
  const ownResponse = [...alwaysPossible, ...(route.settings.closed ? (["route-closed"] as const) : [])];
  const all = Object.assign(
    {},
    ...parts,
    Object.fromEntries(ownResponse.map((code) => [code, gatewayCodes[code]])),
  ) as Codes;
  const listed = Object.entries(all).map(([code, { status, title }]) => ({ code, status, title }));
  const byStatus = [...Map.groupBy(listed, ({ status }) => status)].toSorted(([a], [b]) => a - b);
  return new Map(byStatus.map(([status, codes]) => [status, codes.map(({ code, title }) => [code, title])]));
};

/** Adds the gate's problems to the service's responses. */
export const addProblems = (
  responses: Readonly<Record<string, JsonMap>>,
  problems: ReadonlyMap<number, readonly [string, string][]>,
): Record<string, JsonMap> => {
  const all: Record<string, JsonMap> = { ...responses };
  for (const [status, codes] of problems) {
    const ownResponse = all[String(status)];
    const problemText = codes.map(([code, title]) => `${title} (\`${code}\`)`).join("; ");
    const content = { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } };
    const before =
      ownResponse && typeof ownResponse.description === "string" && ownResponse.description !== ""
        ? `${ownResponse.description} `
        : "";
    all[String(status)] = {
      ...ownResponse,
      description: ownResponse ? `${before}Of the gate: ${problemText}` : problemText,
      content: { ...(ownResponse?.content as JsonMap | undefined), ...content },
      ...(status === 429 && { headers: { ...(ownResponse?.headers as JsonMap | undefined), ...limitHeaders } }),
    };
  }
  return all;
};

const textHeader = (description: string): JsonMap => ({ description, schema: { type: "string" } });

/** draft-ietf-httpapi-ratelimit-headers */
const limitHeaders: JsonMap = {
  "Retry-After": textHeader("Seconds until there is room again"),
  RateLimit: textHeader("What is left of each limit, and until when"),
  "RateLimit-Policy": textHeader("The limits"),
};
