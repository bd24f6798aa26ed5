/** Request schemas, problem types and routes of the admin API. */
import { createRoute, z } from "@hono/zod-openapi";
import { reason } from "../model/fields.ts";
import { release } from "../model/release.ts";

export const problemTitles = {
  400: ["request-invalid", "Invalid request"],
  401: ["token-refused", "Invalid operator token"],
  403: ["role-insufficient", "Insufficient role"],
  404: ["unknown", "Not found"],
  409: ["declined", "Conflict with the current state"],
  429: ["too-many-writes", "Too many writes"],
  412: ["revision-stale", "Outdated revision"],
  500: ["internal", "Control failed"],
} as const;

export const tierName = z.string().regex(/^[a-z](?:[a-z0-9-]{0,46}[a-z0-9])?$/);
export const startBody = z.strictObject({
  reason,
  release: release.optional().describe("Default: the manifest's `release` when control was last deployed"),
  commit: z
    .string()
    .regex(/^[0-9a-f]{40}(?:[0-9a-f]{24})?$/, "the commit's full id in hexadecimal digits")
    .optional()
    .describe("The commit that the version was built from; GitHub's deployment refers to it"),
  retry: z
    .boolean()
    .optional()
    .describe("Also starts a version without a share, which came back from the last rollout"),
});
const approveBody = z.strictObject({
  fingerprint: z
    .string()
    .regex(/^[0-9a-f]{64}$/, "the proposal's fingerprint: GET /v1/proposals")
    .describe("The fingerprint of the proposal that was read; a changed proposal is not approved"),
});
export const commandBody = z.strictObject({ reason: z.string().max(500).default("") });

export const command = z.enum(["pause", "resume", "promote", "abort"]);
export const json = <S extends z.ZodType>(schema: S) => ({
  content: { "application/json": { schema } },
  required: true,
});
export const responses = (description: string) => ({
  200: { description },
  202: { description: "proposed; a second person must approve it, because the tier's level is core" },
  400: { description: problemTitles[400][1] },
  401: { description: problemTitles[401][1] },
  403: { description: problemTitles[403][1] },
  404: { description: problemTitles[404][1] },
  409: { description: problemTitles[409][1] },
});

export const tierParams = { params: z.object({ tier: tierName }) };
/** `wallet`, or `wallet%2Fbalance` for a route with a cutover. */
const subjectName = z.string().regex(/^[a-z](?:[a-z0-9-]{0,46}[a-z0-9])?(?:\/[a-z](?:[a-z0-9-]{0,46}[a-z0-9])?)?$/);
const subjectParams = { params: z.object({ tier: subjectName }) };
export const routes = {
  tiers: createRoute({ method: "get", path: "/v1/tiers", responses: responses("each tier's facts") }),
  status: createRoute({
    method: "get",
    path: "/v1/tiers/{tier}/rollout",
    request: subjectParams,
    responses: responses("the current rollout, or the last one"),
  }),
  measured: createRoute({
    method: "get",
    path: "/v1/tiers/{tier}/rollout/measured",
    request: subjectParams,
    responses: responses(
      "measurements of both versions so far: requests, latency, and how many requests the new version served",
    ),
  }),
  live: createRoute({
    method: "get",
    path: "/v1/tiers/{tier}/live",
    request: subjectParams,
    responses: responses("what the platform runs of each Worker now, whoever deployed it"),
  }),
  traffic: createRoute({
    method: "get",
    path: "/v1/tiers/{tier}/traffic",
    request: subjectParams,
    responses: responses(
      "the traffic by which a release is planned: requests a second, stable's rates, clients; null if too little was counted",
    ),
  }),
  history: createRoute({
    method: "get",
    path: "/v1/tiers/{tier}/rollouts",
    request: subjectParams,
    responses: responses("the tier's rollouts, newest first"),
  }),
  evidence: createRoute({
    method: "get",
    path: "/v1/rollouts/{tier}/{id}",
    request: { params: z.object({ tier: subjectName, id: z.string().regex(/^[\w-]{1,64}$/) }) },
    responses: responses(
      "one rollout's evidence: the decisions with their findings, the alerts, earlier attempts, the shares, the notes",
    ),
  }),
  start: createRoute({
    method: "post",
    path: "/v1/tiers/{tier}/rollouts",
    request: { ...subjectParams, body: json(startBody) },
    responses: responses("the started rollout"),
  }),
  ask: createRoute({
    method: "post",
    path: "/v1/tiers/{tier}/rollout/{command}",
    request: { params: z.object({ tier: subjectName, command }), body: json(commandBody) },
    responses: responses("the changed rollout"),
  }),
  label: createRoute({
    method: "post",
    path: "/v1/tiers/{tier}/label",
    request: subjectParams,
    responses: responses("a tester's label for the new version, valid for five minutes"),
  }),
  proposals: createRoute({
    method: "get",
    path: "/v1/proposals",
    responses: responses("proposals that wait for a second person"),
  }),
  approve: createRoute({
    method: "post",
    path: "/v1/proposals/{id}",
    request: { params: z.object({ id: z.string().max(64) }), body: json(approveBody) },
    responses: responses("the result of the approved command"),
  }),
  audit: createRoute({
    method: "get",
    path: "/v1/audit",
    request: { query: z.object({ tier: tierName.optional(), before: z.coerce.number().int().positive().optional() }) },
    responses: responses("the audit log, newest first, two hundred entries; `before` an id for those before it"),
  }),
  check: createRoute({
    method: "get",
    path: "/v1/check",
    responses: responses(
      "whether the feed, the actuator and control's own objects answer, each with the reason if not",
    ),
  }),
  cost: createRoute({
    method: "get",
    path: "/v1/tiers/{tier}/cost",
    request: tierParams,
    responses: responses("each route's cost: CPU, upstream time, body sizes"),
  }),
  metrics: createRoute({
    method: "get",
    path: "/metrics",
    request: { query: z.object({ tier: tierName.optional().describe("Restricts the metrics to one tier") }) },
    responses: responses("metrics in Prometheus' text format"),
  }),
};
