/** Schemas of the `data` of each notice type: the contract with receivers. The OpenAPI document's `webhooks` are generated from them. */
import { z } from "@hono/zod-openapi";
import { criteria, verdicts } from "../model/finding.ts";
import { rolloutStates } from "../model/rollout-state.ts";

const verdict = z.enum(verdicts);
const figure = z.number().nullable();

const next = z
  .array(z.strictObject({ command: z.string(), does: z.string() }))
  .optional()
  .describe("What a person can type");

const hits = z.strictObject({ hits: z.number(), requests: z.number() });

const finding = z.strictObject({
  criterion: z.enum([...criteria, "upstream-errors", "deaths"]),
  verdict,
  stable: figure.describe("Share of requests; of latency the 99th percentile in milliseconds"),
  canary: figure.describe("The same of the new version"),
  low: figure.describe(
    "Lower bound of canary minus stable; of latency, of the shares of requests that are slower than tolerated; of the sample ratio, of the ratio less one",
  ),
  high: figure.describe("Upper bound of the same"),
  tolerate: figure,
  query: z
    .strictObject({ name: z.string(), at: z.number(), inRow: z.number() })
    .optional()
    .describe("The release's query, the time of its evaluation, and how often in a row it was out of bounds"),
  counts: z.strictObject({ stable: hits, canary: hits }).optional().describe("What the shares are of"),
  causes: z
    .array(
      z.strictObject({
        route: z.string().describe("`open/rates`; `open` if no route matched"),
        by: z.string().describe("The filter or the upstream; empty for an answer of the service itself"),
        code: z.string().describe("The problem's code, or the status of the service's answer"),
        canary: z.number().describe("Requests of the new version"),
        stable: z.number().describe("Requests of the stable version with the same cause"),
      }),
    )
    .optional()
    .describe("The new version's most frequent causes"),
  clients: z.int().nullable().optional().describe("The least number of clients that the new version's hits come from"),
  clusters: z
    .array(z.strictObject({ cluster: z.int(), hits: z.number() }))
    .optional()
    .describe(
      "The clusters of clients with most hits; `cluster` in the access log is the same number in hexadecimal digits",
    ),
  needs: z
    .strictObject({ requests: z.number(), ms: z.number().nullable() })
    .nullable()
    .optional()
    .describe("What is missing for a pass, at the present rate; null if the new version does not pass at its rates"),
  why: z.string().describe("A sentence for people"),
});

const rollout = z.strictObject({
  tier: z.string(),
  rollout: z.string().describe("Its id"),
  status: z.enum(["running", "paused", "returning", "rolled-back", "promoted", "left"]),
  state: z
    .enum(rolloutStates)
    .optional()
    .describe("The status, or `waiting` if a step holds until a person promotes it, or `watching` after the promotion"),
  share: z.number().describe("Share of users that have or are about to get the new version, in per cent"),
  steps: z.array(z.number()).describe("All shares, in per cent"),
  why: z.string().describe("Reason for the current status, as a sentence"),
  actor: z.string().nullable().describe("The operator who gave the command; null if control decided by itself"),
  startedBy: z.string(),
  reason: z.string().describe("The reason given at the start"),
  commit: z.string().nullable().describe("The commit that the version was built from, if known"),
  verdict: z
    .strictObject({ verdict, findings: z.array(finding) })
    .nullable()
    .describe("The last verdict with its findings"),
  next,
  url: z.url().optional().describe("The evidence, in the admin API: for a viewer's token"),
});
export type RolloutData = z.output<typeof rollout>;

const wave = z.strictObject({
  wave: z.string().describe("Its id"),
  status: z.enum(["running", "paused", "stopping", "aborting", "promoted", "failed", "aborted"]),
  tiers: z.int().describe("Number of tiers in the wave; tiers of a shared gate count as one"),
  promoted: z.int().describe("Number of tiers whose users all have the new version"),
  failed: z
    .array(z.strictObject({ tier: z.string(), why: z.string() }))
    .describe("Tiers that were rolled back or could not start; a hundred at most"),
  why: z.string().describe("Reason for the current status, as a sentence"),
  actor: z.string().nullable().describe("The operator who gave the command; null if control decided by itself"),
  startedBy: z.string(),
  reason: z.string().describe("The reason given at the start"),
  selection: z.string().describe("How the tiers were selected, such as --label app=mobile"),
  next,
});
export type WaveData = z.output<typeof wave>;

const proposal = z.strictObject({
  tier: z.string().describe("`*` if it concerns several tiers"),
  proposal: z.string().describe("Its id: postern approve <id>"),
  what: z.string().describe("The command: start, promote, resume, wave start, wave resume"),
  reason: z.string(),
  names: z
    .array(z.string())
    .describe(
      "The scope of the approval: versions of each Worker, the commit, the rollout's position; twenty lines at most",
    ),
  actor: z.string().describe("The proposer; another operator must approve"),
  until: z.iso.datetime().describe("When the proposal expires"),
});

const test = z.strictObject({ actor: z.string().describe("The operator who requested the test") });

/** Each notice type with its summary. */
export const payloads = {
  "rollout.started": { says: "A rollout has started", data: rollout },
  "rollout.step": { says: "The rollout advances to its next step", data: rollout },
  "rollout.watching": {
    says: "The watch after the promotion begins: control still measures, and rolls back on failure",
    data: rollout,
  },
  "rollout.alert": {
    says: "Something speaks against the new version, and control does not act: someone else decided the split, no hold-back is left, or the finding only holds; once for each finding",
    data: rollout,
  },
  "rollout.waiting": { says: "The step holds until a person promotes it", data: rollout },
  "rollout.paused": { says: "The rollout is paused until a person resumes or aborts it", data: rollout },
  "rollout.resumed": { says: "A person resumed it", data: rollout },
  "rollout.failed": { says: "The new version failed; all users return to the stable version", data: rollout },
  "rollout.aborted": { says: "A person aborted it; all users return to the stable version", data: rollout },
  "rollout.rolled_back": { says: "Rolled back: all users have the stable version again", data: rollout },
  "rollout.promoted": { says: "Promoted: all users have the new version", data: rollout },
  "rollout.left": { says: "The rollout has ended and kept what someone else deployed", data: rollout },
  "wave.started": { says: "A wave over several tiers has started; each rollout sends its own notices", data: wave },
  "wave.paused": { says: "The wave is paused: no further tier starts until a person resumes it", data: wave },
  "wave.resumed": { says: "A person resumed it and skipped the failed tiers", data: wave },
  "wave.stopping": { says: "A tier failed: no further tier starts, running rollouts continue", data: wave },
  "wave.aborting": { says: "A person aborted it: running rollouts, or all, are rolled back", data: wave },
  "wave.promoted": { says: "All tiers have the new version, except skipped ones", data: wave },
  "wave.failed": { says: "It has ended because a tier failed; resuming skips the failed tier", data: wave },
  "wave.aborted": { says: "The rollback that the abort requested is complete", data: wave },
  "approval.wanted": { says: "A second person is needed", data: proposal },
  "postern.test": { says: "A test of the channel", data: test },
} as const;

export type Payloads = { readonly [K in keyof typeof payloads]: z.output<(typeof payloads)[K]["data"]> };

/** Schema of a notice's body as the receiver gets it. */
export const payloadOf = (type: keyof Payloads) =>
  z.strictObject({
    type: z.literal(type),
    timestamp: z.iso.datetime().describe("When it happened, not when it was sent"),
    environment: z.string(),
    data: payloads[type].data,
  });
