/** Schemas of the reports of gates, the tail and fronts. They are validated, because a gate may be older or newer than control. */
import { z } from "@hono/zod-openapi";
import { maxCells } from "../../gateway/observability/cells.ts";
import { maxClusters } from "../../gateway/observability/clusters.ts";

const controls = /[\p{Cc}\p{Cf}\u2028\u2029]/gu;
const count = z.int().nonnegative().max(1e12);
const bins = z.array(z.tuple([z.int().min(0).max(400), count])).max(400);
// Names go into sentences for terminals and chats, where a control character is a line or a command of its own.
const text = z
  .string()
  .max(200)
  .overwrite((name) => name.replaceAll(controls, "\ufffd"));

const group = z.object({
  requests: count,
  errors: count,
  refusals: count,
  upstreamErrors: count,
  abandoned: count,
  latency: bins,
});

const series = z.object({
  route: text,
  method: text.default(""),
  status: text,
  verdict: z.enum(["passed", "answered", "refused", "failed", "left"]),
  by: text,
  code: text,
  upstream: text.default(""),
  count,
  latency: bins,
  upstreamMs: z.number().nonnegative(),
  bytesIn: count,
  bytesOut: count,
});

const mark = z.object({ kind: z.enum(["shadow", "degraded"]), route: text, filter: text, decision: text, count });

/** A gate of an earlier release sends no kind. */
const endedStreams = z.object({ route: text, how: text, kind: text.default(""), count });

const failedBodies = z.object({ route: text, upstream: text, how: text, count });

const at = z.int().nonnegative().max(1e15);
const cluster = z
  .int()
  .min(0)
  .max(maxClusters - 1);
const bin = z.int().min(-1).max(400);
/** Reports of gates and fronts of an earlier release have no cells. */
const cellsOf = <Cell extends z.ZodType>(cell: Cell) =>
  z
    .array(z.object({ at, cells: z.array(cell).max(maxCells) }))
    .max(maxCells)
    .default([]);
const every = z
  .int()
  .min(1)
  .max(2 * maxClusters)
  .default(1);
const outcome = z.int().min(0).max(31);

const groupNumber = z.string().regex(/^\d{1,2}$/);
const sample = z.object({ groups: z.record(groupNumber, group), cold: count });
/** A gate reports no latency of a front. */
const frontCounts = z.object({
  version: text.min(1),
  groups: z.record(groupNumber, group.extend({ latency: bins.default([]) })),
  cells: cellsOf(z.tuple([outcome, cluster, count])),
  every,
});

/** A gate's report. Unknown keys of a newer gate are dropped. */
export const report = z.object({
  tier: text,
  version: text,
  sample,
  series: z.array(series).max(600),
  // The same for a gateway of a cutover, whose requests are in the gate's own series already.
  causes: z.array(series).max(600).optional(),
  cells: cellsOf(z.tuple([z.int().min(0).max(600), cluster, bin, count])),
  every,
  marks: z.array(mark).max(600).default([]),
  streams: z.array(endedStreams).max(2000).default([]),
  bodies: z.array(failedBodies).max(600).default([]),
  brokenBodies: z.array(z.object({ at, cluster, count })).max(maxCells).default([]),
  fronts: z.array(frontCounts).max(10).default([]),
  lost: count,
});

const ms = z.number().nonnegative().max(1e12);
const boundedList = z.array(z.unknown()).max(5000);

/** The tail's report. */
export const tailReport = z.object({
  cpu: boundedList.pipe(
    z.array(z.object({ worker: text, tier: text, version: text, route: text, requests: count, cpuMs: ms })),
  ),
  deaths: boundedList.pipe(z.array(z.object({ worker: text, version: text, outcome: text, count }))),
  faults: boundedList.pipe(z.array(z.object({ tier: text, version: text, code: text, count }))),
  spans: boundedList.pipe(z.array(z.object({ tier: text, taken: count, failed: count, lost: count }))),
  fronts: z
    .array(z.object({ version: text.min(1), requests: count, errors: count, refusals: count }))
    .max(100)
    .default([]),
});

/** A front's report. */
export const frontReport = z.object({
  counts: boundedList.pipe(z.array(z.object({ tier: text, status: text, code: text, count }))),
  // An older front has a group of users in place of the cluster and the time.
  deaths: boundedList.pipe(
    z.array(
      z.object({
        tier: text,
        version: text,
        group: z.int().min(0).max(99),
        cluster: cluster.optional(),
        at: at.optional(),
      }),
    ),
  ),
  lost: count,
  /** Empty in reports of an older front, which has none of what follows. */
  version: text.default(""),
  sample: sample.default({ groups: {}, cold: 0 }),
  cells: cellsOf(z.tuple([outcome, cluster, bin, count])),
  every,
  answers: z
    .array(z.object({ status: z.string().max(3), count, latency: bins }))
    .max(10)
    .default([]),
});

/** As it is received, possibly from an older front. */
export type ReceivedFrontReport = z.infer<typeof frontReport>;
