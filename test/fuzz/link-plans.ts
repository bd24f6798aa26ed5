/** Links the plans of a project with all parts in this process, as its gates do at their start. */
import { filters } from "../../functions/filters/registry.gen.ts";
import type { Plan } from "../../functions/gateway/core/plan.ts";
import type { Caller, Deps } from "../../functions/gateway/core/types.ts";
import { limiter } from "../../functions/gateway/limits/store-counter.ts";
import { trafficShift } from "../../functions/gateway/overlay/traffic-shift.ts";
import type { Parts } from "../../functions/gateway/part.ts";
import { type Gateway, link as linkPlan } from "../../functions/gateway/server.ts";
import { cutover } from "../../functions/gateway/service/cutover.ts";
import { streamAge } from "../../functions/gateway/streaming/max-age.ts";
import { watchBodies } from "../../functions/gateway/streaming/watched-body.ts";
import { webSocketAge } from "../../functions/gateway/streaming/websocket-age.ts";
import { upstreams } from "../../functions/upstreams/registry.gen.ts";
import type { Compiled } from "../../infra/compiler/compile.ts";

export const parts = {
  filters: Object.fromEntries(Object.entries(filters).map(([name, { make }]) => [name, make])),
  upstreams: Object.fromEntries(Object.entries(upstreams).map(([name, { make }]) => [name, make])),
  cutover,
  streamAge,
  webSocketAge,
  watchBodies,
  limiter,
  moves: trafficShift,
} as unknown as Parts;

const never = async (): Promise<never> => {
  throw new Error("nobody answers here");
};

/** Dependencies of a gate whose services all answer, and whose secrets all exist. */
export const deps = (now: () => number = () => Date.UTC(2026, 10, 1)): Deps =>
  ({
    env: new Proxy({}, { get: () => "a-secret-of-more-than-16-letters" }),
    version: "v1",
    fetch: async () => new Response("served"),
    now,
    random: () => 0.5,
    uuid: () => "00000000-0000-4000-8000-000000000000",
    sleep: () => new Promise(() => {}),
    after: () => () => {},
    defer: (work: () => Promise<unknown>) => void work(),
    log: () => {},
    state: { once: async () => true, count: never, take: never, lease: never },
    cache: { match: async () => undefined, put: async () => {} },
    validators: new Proxy({}, { get: () => () => [] }),
  }) as unknown as Deps;

export const caller: Caller = {
  requestId: "00000000-0000-4000-8000-00000000cafe",
  traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
  ip: "203.0.113.7",
  grayKey: "device-1",
};

/** @throws where a gate would throw at its start */
export const link = async ({ tiers }: Compiled): Promise<void> => {
  for (const { serves } of tiers)
    for (const { plan } of serves) await checkAnswers(linkPlan(plan, parts, deps()), plan);
};

export const checkAnswers = async (
  serve: Gateway,
  { hosts, base }: Plan & { readonly base?: string },
): Promise<void> => {
  const host = (hosts[0] ?? "localhost").replace("*", "any");
  for (const path of ["/", `${base ?? ""}/a`]) {
    const response = await serve(new Request(`https://${host}${path}`), caller);
    if (response.status === 500) throw new Error(`the gate answers 500: ${await response.text()}`);
  }
};
