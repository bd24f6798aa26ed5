/** The `data` of each type of notice: what a receiver may rely on. The OpenAPI document's `webhooks` are made from it. */
import { z } from "@hono/zod-openapi";

const verdict = z.enum(["pass", "fail", "not-enough"]);
const figure = z.number().nullable();

const finding = z.strictObject({
  criterion: z.enum([
    "sample-ratio",
    "errors",
    "refusals",
    "upstream-errors",
    "abandoned",
    "latency",
    "limit",
    "query",
  ]),
  verdict,
  stable: figure.describe("Share of requests; of latency the 99th percentile in milliseconds"),
  canary: figure.describe("The same of the new version"),
  low: figure.describe("Lower bound of canary minus stable; of latency and the sample ratio, of their ratio less one"),
  high: figure.describe("Upper bound of the same"),
  tolerate: figure,
  why: z.string().describe("A sentence for people"),
});

const rollout = z.strictObject({
  tier: z.string(),
  rollout: z.string().describe("Its id"),
  status: z.enum(["running", "paused", "returning", "rolled-back", "promoted", "left"]),
  share: z.number().describe("Of users that the new version has or is about to have, in per cent"),
  steps: z.array(z.number()).describe("All shares, in per cent"),
  why: z.string().describe("Why it stands where it stands, as a sentence"),
  actor: z.string().nullable().describe("The operator whose word this is; null where control decided by itself"),
  startedBy: z.string(),
  reason: z.string().describe("What was given when it was started"),
  commit: z.string().nullable().describe("Of the repository that the version was built from, where it is known"),
  verdict: z
    .strictObject({ verdict, findings: z.array(finding) })
    .nullable()
    .describe("The last verdict, and what it rests on"),
});
export type RolloutData = z.output<typeof rollout>;

const wave = z.strictObject({
  wave: z.string().describe("Its id"),
  status: z.enum(["running", "paused", "stopping", "aborting", "promoted", "failed", "aborted"]),
  tiers: z.int().describe("How many it releases; those of a shared gate count as one"),
  promoted: z.int().describe("How many of them have the new version for all users"),
  failed: z
    .array(z.strictObject({ tier: z.string(), why: z.string() }))
    .describe("Those that came back or could not begin; a hundred at most"),
  why: z.string().describe("Why it stands where it stands, as a sentence"),
  actor: z.string().nullable().describe("The operator whose word this is; null where control decided by itself"),
  startedBy: z.string(),
  reason: z.string().describe("What was given when it was started"),
  selection: z.string().describe("How its tiers were chosen, such as --label app=mobile"),
});
export type WaveData = z.output<typeof wave>;

const proposal = z.strictObject({
  tier: z.string().describe("`*` of what concerns several"),
  proposal: z.string().describe("Its id: postern approve <id>"),
  what: z.string().describe("What was asked for: start, promote, resume, wave start, wave resume"),
  reason: z.string(),
  names: z
    .array(z.string())
    .describe(
      "What is approved: the versions of each Worker, the commit, where the rollout stands; twenty lines at most",
    ),
  actor: z.string().describe("Who asked; another has to approve"),
  until: z.iso.datetime().describe("It is gone then"),
});

const test = z.strictObject({ actor: z.string().describe("Who asked for it") });

/** Each type, with its sentence. */
export const payloads = {
  "rollout.started": { says: "A rollout has begun", data: rollout },
  "rollout.step": { says: "The next step was decided", data: rollout },
  "rollout.waiting": { says: "The step holds, and waits for a person", data: rollout },
  "rollout.paused": { says: "The rollout stands still until a person has looked at it", data: rollout },
  "rollout.resumed": { says: "A person let it go on", data: rollout },
  "rollout.failed": { says: "The new version failed; all users get the stable one back", data: rollout },
  "rollout.aborted": { says: "A person took it back; all users get the stable version back", data: rollout },
  "rollout.rolled_back": { says: "All users have the stable version again", data: rollout },
  "rollout.promoted": { says: "All users have the new version", data: rollout },
  "rollout.left": { says: "The rollout has ended, and left what somebody else deployed", data: rollout },
  "wave.started": { says: "A wave over several tiers has begun; each of their rollouts tells by itself", data: wave },
  "wave.paused": { says: "No further tier begins until a person lets it go on", data: wave },
  "wave.resumed": { says: "A person let it go on, past what failed", data: wave },
  "wave.stopping": { says: "A tier failed: no further one begins, those under way go on", data: wave },
  "wave.aborting": { says: "A person takes back what is under way, or all", data: wave },
  "wave.promoted": { says: "All its tiers have the new version, except those passed over", data: wave },
  "wave.failed": { says: "It has ended where a tier failed; it can be resumed past it", data: wave },
  "wave.aborted": { says: "What was to be taken back is back", data: wave },
  "approval.wanted": { says: "A second person is needed", data: proposal },
  "postern.test": { says: "Somebody asked whether you hear control", data: test },
} as const;

export type Payloads = { readonly [K in keyof typeof payloads]: z.output<(typeof payloads)[K]["data"]> };

/** A notice as a receiver gets it. */
export const payloadOf = (type: keyof Payloads) =>
  z.strictObject({
    type: z.literal(type),
    timestamp: z.iso.datetime().describe("When it happened, not when it was sent"),
    environment: z.string(),
    data: payloads[type].data,
  });
