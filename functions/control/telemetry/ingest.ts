/** Hands what comes in to the object of its tier. */
import type { Report } from "../../gateway/telemetry.ts";
import { groups } from "../../gateway/telemetry-samples.ts";
import type { World } from "../bindings.ts";
import { type Namespace, remote } from "../namespaces.ts";
import type { ControlPlan } from "../plan.ts";
import { obituary, report } from "./reports.ts";
import { deaths } from "./samples.ts";
import type { Store } from "./store.ts";
import type { Tally } from "./tally.ts";

const mostBytes = 1024 * 1024;

export const ingest = async (
  request: Request,
  { tiers }: Pick<ControlPlan, "tiers">,
  stores: Namespace<Store>,
  { now, random }: Pick<World, "now" | "random">,
): Promise<Response> => {
  const text = await request.text();
  const { pathname } = new URL(request.url);
  if (request.method !== "POST" || text.length > mostBytes) return refused(400, "a report is posted, 1 MiB at most");
  const value = parsed(text);
  if (pathname === "/v1/report") {
    const it = report.safeParse(value);
    if (!it.success) return refused(400, it.error.message.slice(0, 300));
    const { tier, version, sample, series, marks, lost } = it.data;
    if (!Object.hasOwn(tiers, tier)) return refused(404, `control knows no tier "${tier}"`);
    await remote(stores, tier).take(version, sample, series, now(), { tier, tallies: noted(marks, lost) });
    return new Response(null, { status: 204 });
  }
  if (pathname !== "/v1/obituary") return refused(404, "there are /v1/report and /v1/obituary");
  const it = obituary.safeParse(value);
  if (!it.success) return refused(400, it.error.message.slice(0, 300));
  const [tier] = Object.entries(tiers).find(([, { workers }]) => workers.includes(it.data.worker)) ?? [];
  if (tier === undefined) return refused(404, `control knows no Worker "${it.data.worker}"`);
  const sample = deaths(it.data.deaths, Math.floor(random() * groups), groups);
  await remote(stores, tier).take(it.data.version, sample, [], now());
  return new Response(null, { status: 204 });
};

const noted = (marks: Report["marks"], lost: number): Tally[] => [
  ...marks.map(({ kind, route, filter, decision, count }) => ({
    name: kind,
    labels: { route, filter, ...(kind === "shadow" && { decision }) },
    by: count,
  })),
  { name: "reports-lost", labels: {}, by: lost },
];

const refused = (status: number, text: string): Response => new Response(text, { status });

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};
