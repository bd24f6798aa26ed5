/** What the admin API takes, and how it describes itself. */
import { createRoute, z } from "@hono/zod-openapi";
import { reason } from "../model/fields.ts";
import { release } from "../model/release.ts";

export const titles = {
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
export const answers = (description: string) => ({
  200: { description },
  202: { description: "it waits for a second person: the tier's level is core" },
  400: { description: titles[400][1] },
  401: { description: titles[401][1] },
  403: { description: titles[403][1] },
  404: { description: titles[404][1] },
  409: { description: titles[409][1] },
});

export const inTier = { params: z.object({ tier: tierName }) };
/** `wallet`, or `wallet%2Fbalance` for a route that is cut over. */
const subjectName = z.string().regex(/^[a-z](?:[a-z0-9-]{0,46}[a-z0-9])?(?:\/[a-z](?:[a-z0-9-]{0,46}[a-z0-9])?)?$/);
const ofSubject = { params: z.object({ tier: subjectName }) };
export const routes = {
  tiers: createRoute({ method: "get", path: "/v1/tiers", responses: answers("what control knows of each tier") }),
  status: createRoute({
    method: "get",
    path: "/v1/tiers/{tier}/rollout",
    request: ofSubject,
    responses: answers("the rollout that is under way, or the last one"),
  }),
  measured: createRoute({
    method: "get",
    path: "/v1/tiers/{tier}/rollout/measured",
    request: ofSubject,
    responses: answers(
      "what both versions did in that rollout so far: requests, latency, and how many met the new one",
    ),
  }),
  history: createRoute({
    method: "get",
    path: "/v1/tiers/{tier}/rollouts",
    request: ofSubject,
    responses: answers("the tier's rollouts, newest first"),
  }),
  start: createRoute({
    method: "post",
    path: "/v1/tiers/{tier}/rollouts",
    request: { ...ofSubject, body: json(startBody) },
    responses: answers("the rollout that has begun"),
  }),
  ask: createRoute({
    method: "post",
    path: "/v1/tiers/{tier}/rollout/{command}",
    request: { params: z.object({ tier: subjectName, command }), body: json(commandBody) },
    responses: answers("the rollout after that"),
  }),
  label: createRoute({
    method: "post",
    path: "/v1/tiers/{tier}/label",
    request: ofSubject,
    responses: answers("a tester's label for the version that is tried, five minutes long"),
  }),
  proposals: createRoute({
    method: "get",
    path: "/v1/proposals",
    responses: answers("what waits for a second person"),
  }),
  approve: createRoute({
    method: "post",
    path: "/v1/proposals/{id}",
    request: { params: z.object({ id: z.string().max(64) }), body: json(approveBody) },
    responses: answers("what came of it"),
  }),
  audit: createRoute({
    method: "get",
    path: "/v1/audit",
    request: { query: z.object({ tier: tierName.optional() }) },
    responses: answers("who asked for what, newest first"),
  }),
  cost: createRoute({
    method: "get",
    path: "/v1/tiers/{tier}/cost",
    request: inTier,
    responses: answers("what each route costs: CPU, time of its upstreams, bodies"),
  }),
  metrics: createRoute({
    method: "get",
    path: "/metrics",
    request: { query: z.object({ tier: tierName.optional().describe("Only this one's, where all are too many") }) },
    responses: answers("Prometheus' text format"),
  }),
};
