/** Schema of a tier's `release`: how a new version reaches users. Control's API uses it as well. */
import * as z from "zod";
import { share } from "../gateway/core/quantities.ts";
import { name } from "./names.ts";
import { change, duration, percent } from "./quantities.ts";

const step = () =>
  z.union(
    [
      percent(),
      z.strictObject({
        share: percent().describe("Of users"),
        bake: duration().optional().describe("In place of the release's"),
        hold: z.boolean().default(false).describe("Waits for a person before the next step"),
      }),
    ],
    "a step is a share, 10%, or { share: 10%, bake: 30m, hold: true }",
  );

/** Where the manifest has none, and for `auto` while the traffic is unknown. */
export const defaultSteps: readonly string[] = ["0%", "1%", "10%", "50%", "100%"];

const watch = () =>
  z.union(
    [
      duration("24h"),
      z.strictObject({
        for: duration("24h").describe("How long"),
        "hold-back": percent()
          .refine((text) => share(text) <= 0.5, "a hold-back is at most 50%")
          .default("5%")
          .describe(
            "Share of users that stay on the stable version, as the control group; with 0% control only alerts, except for `limits`, `queries` and crashes",
          ),
      }),
    ],
    "a watch is a duration, 1h, or { for: 1h, hold-back: 5% }",
  );

const bound = () => z.number("a bound is a number");

/** The front has no streams of its own to end: requests in flight stay with the version that began them. */
export const frontRelease = () =>
  release()
    .omit({ drain: true })
    .extend({
      smoke: release().shape.smoke.describe(
        "Requests that control sends through both versions, at 0% and at every step: full paths on the host of the tier that has them; by default the root of each tier",
      ),
    });

/** Placeholders of queries, in double braces. */
export const placeholders = ["tier", "canary", "stable"] as const;

const query = () =>
  z
    .strictObject({
      query: z
        .string()
        .min(1, "a query in PromQL")
        .max(1000, "1000 characters at most")
        .refine(
          (text) => [...text.matchAll(/{{([^}]*)}}/g)].every(([, it]) => placeholders.some((known) => known === it)),
          `a query knows ${placeholders.map((it) => `{{${it}}}`).join(", ")}`,
        )
        .describe(
          'PromQL that gives one figure; `{{tier}}`, `{{canary}}` and `{{stable}}` stand for the tier and the versions, `a|b` where it has several Workers: `version=~"{{canary}}"`',
        ),
      max: bound().optional().describe("The most that it may be"),
      min: bound().optional().describe("The least that it may be"),
      every: duration()
        .refine((text) => !/^0*\d{0,3}ms$|^0+[smhd]$/.test(text), "a query is evaluated every 1s at most")
        .default("15s")
        .describe("How often it is evaluated: no more often than the figure changes"),
    })
    .refine(({ max, min }) => max !== undefined || min !== undefined, "a query has a bound: max, min or both");

export const release = () =>
  z.strictObject({
    steps: z
      .union(
        [
          z.array(step()).min(1, "a release has one step at least: [100%]").max(20, "20 steps at most"),
          z.literal("auto"),
        ],
        "steps are a list, [0%, 10%, 100%], or auto",
      )
      .default([...defaultSteps])
      .describe(
        "Shares of users that get the new version, in order; 0% is a smoke test; `auto` chooses shares and bakes by the traffic before the start",
      ),
    smoke: z
      .array(
        z.strictObject({
          send: z
            .string()
            .regex(/^[A-Z]{3,10} \/[!-~]*$/, "a request is a method and a path: GET /rates/USD")
            .describe("Under the tier's base"),
          expect: z.int().min(100).max(599).optional().describe("The status; by default any below 500"),
        }),
      )
      .max(20, "20 at most")
      .optional()
      .describe("Requests to the new version in the step at 0%; by default `GET /` under the base"),
    bake: duration().default("5m").describe("How long a step is observed before the next"),
    drain: duration("1h")
      .default("30s")
      .describe(
        "After a rollback: the time in which the version's streams end, if `limits.stream-age` is set, and its WebSockets, if `limits.websocket-age` is; 0s lets them continue",
      ),
    watch: watch()
      .optional()
      .describe(
        "After the last step: the time in which control still compares both versions and rolls back, before the last 5% of users get the new version; by default none",
      ),
    tolerate: z
      .strictObject({
        errors: change("pp").default("+0.5pp").describe("More errors, in percentage points of requests"),
        p99: change("%").default("+20%").describe("A longer 99th percentile"),
        refusals: change("pp").default("+1pp").describe("More refusals, in percentage points of requests"),
      })
      .prefault({})
      .describe("The effect that the statistics must exclude"),
    limits: z
      .strictObject({
        errors: percent()
          .optional()
          .describe(
            "Share of requests: answered 5xx or crashed; the same bound applies to requests that clients gave up",
          ),
        refusals: percent().optional().describe("Of requests"),
        p99: duration().optional().describe("The 99th percentile in warm isolates"),
      })
      .prefault({})
      .describe("Absolute bounds of the new version, whatever the stable one does"),
    queries: z
      .record(name(), query())
      .refine((all) => Object.keys(all).length <= 10, "10 queries at most")
      .default({})
      .describe("Own criteria, evaluated by the environment's `control.prometheus`, by name"),
  });
