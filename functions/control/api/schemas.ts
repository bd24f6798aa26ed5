/** What the admin API takes, and how it describes itself. */
import { createRoute, z } from "@hono/zod-openapi";
import { reason } from "../model/fields.ts";
import { release } from "../model/release.ts";

export const problemTitles = {
  400: ["request-invalid", "The request is not as the description says"],
  401: ["token-refused", "A token of an operator is needed"],
  403: ["role-insufficient", "The operator's role does not allow this"],
  404: ["unknown", "There is no such thing"],
  409: ["declined", "That does not fit how things stand"],
  429: ["too-many-writes", "Too many writes"],
  412: ["revision-stale", "Somebody else has written since"],
  500: ["internal", "Control failed"],
} as const;

export const tierName = z.string().regex(/^[a-z](?:[a-z0-9-]{0,46}[a-z0-9])?$/);
export const startBody = z.strictObject({
  reason,
  release: release.optional().describe("By default what the tier's manifest said when control was deployed"),
  commit: z
    .string()
    .regex(/^[0-9a-f]{40}(?:[0-9a-f]{24})?$/, "a commit's whole id, in hexadecimal digits")
    .optional()
    .describe("That the version was built from; GitHub's deployment is of it"),
});
const approveBody = z.strictObject({
  fingerprint: z
    .string()
    .regex(/^[0-9a-f]{64}$/, "as the proposal has it: GET /v1/proposals")
    .describe("Of the proposal as it was read: approved is that, and nothing else"),
});
export const commandBody = z.strictObject({ reason: z.string().max(500).default("") });

export const command = z.enum(["pause", "resume", "promote", "abort"]);
export const json = <S extends z.ZodType>(schema: S) => ({
  content: { "application/json": { schema } },
  required: true,
});
export const responses = (description: string) => ({
  200: { description },
  202: { description: "it waits for a second person: the tier's level is core" },
  400: { description: problemTitles[400][1] },
  401: { description: problemTitles[401][1] },
  403: { description: problemTitles[403][1] },
  404: { description: problemTitles[404][1] },
  409: { description: problemTitles[409][1] },
});

export const tierParams = { params: z.object({ tier: tierName }) };
/** `wallet`, or `wallet%2Fbalance` for a route that is cut over. */
const subjectName = z.string().regex(/^[a-z](?:[a-z0-9-]{0,46}[a-z0-9])?(?:\/[a-z](?:[a-z0-9-]{0,46}[a-z0-9])?)?$/);
const subjectParams = { params: z.object({ tier: subjectName }) };
export const routes = {
  tiers: createRoute({ method: "get", path: "/v1/tiers", responses: responses("what control knows of each tier") }),
  status: createRoute({
    method: "get",
    path: "/v1/tiers/{tier}/rollout",
    request: subjectParams,
    responses: responses("the rollout that is under way, or the last one"),
  }),
  measured: createRoute({
    method: "get",
    path: "/v1/tiers/{tier}/rollout/measured",
    request: subjectParams,
    responses: responses(
      "what both versions did in that rollout so far: requests, latency, and how many met the new one",
    ),
  }),
  history: createRoute({
    method: "get",
    path: "/v1/tiers/{tier}/rollouts",
    request: subjectParams,
    responses: responses("the tier's rollouts, newest first"),
  }),
  start: createRoute({
    method: "post",
    path: "/v1/tiers/{tier}/rollouts",
    request: { ...subjectParams, body: json(startBody) },
    responses: responses("the rollout that has begun"),
  }),
  ask: createRoute({
    method: "post",
    path: "/v1/tiers/{tier}/rollout/{command}",
    request: { params: z.object({ tier: subjectName, command }), body: json(commandBody) },
    responses: responses("the rollout after that"),
  }),
  label: createRoute({
    method: "post",
    path: "/v1/tiers/{tier}/label",
    request: subjectParams,
    responses: responses("a tester's label for the version that is tried, five minutes long"),
  }),
  proposals: createRoute({
    method: "get",
    path: "/v1/proposals",
    responses: responses("what waits for a second person"),
  }),
  approve: createRoute({
    method: "post",
    path: "/v1/proposals/{id}",
    request: { params: z.object({ id: z.string().max(64) }), body: json(approveBody) },
    responses: responses("what came of it"),
  }),
  audit: createRoute({
    method: "get",
    path: "/v1/audit",
    request: { query: z.object({ tier: tierName.optional() }) },
    responses: responses("who asked for what, newest first"),
  }),
  cost: createRoute({
    method: "get",
    path: "/v1/tiers/{tier}/cost",
    request: tierParams,
    responses: responses("what each route costs: CPU, time of its upstreams, bodies"),
  }),
  metrics: createRoute({
    method: "get",
    path: "/metrics",
    request: { query: z.object({ tier: tierName.optional().describe("Only this one's, where all are too many") }) },
    responses: responses("Prometheus' text format"),
  }),
};
