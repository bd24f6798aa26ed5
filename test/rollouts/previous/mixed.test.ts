/** Each release works beside the previous one, since Workers are deployed one by one: an upgrade Worker by Worker, and a partial rollback. */
import { expect, it } from "vitest";
import type { Emitted } from "../../../infra/compiler/emit/emit.ts";
import { openAccount } from "./account.ts";

type Part = Emitted["kind"] | "objects";

/** The parts that are of this release at each step; all others are of the previous one. Each communicating pair occurs both ways. */
const steps: readonly (readonly Part[])[] = [
  ["gate", "front", "tail"],
  ["gate", "state", "feed", "actuator"],
  ["state", "feed", "actuator", "control", "objects", "tail"],
  ["control", "objects", "front"],
];

it("limits, overlays, revocations, reports and calls to the platform work between this release and the previous one", {
  timeout: 240_000,
}, async () => {
  const account = await openAccount();
  const hour = () => Math.floor(Date.now() / 3_600_000);
  const begun = hour();
  const turn = (now: readonly Part[]) => account.turn((part) => (now.includes(part) ? "now" : "before"));
  for (const [step, now] of steps.entries()) {
    await turn(now);
    await account.tryAll(step);
  }
  // Every revoked token is still refused, whichever release wrote the revocation.
  for (const step of steps.keys()) {
    expect(await account.get(`/a/close-${step}`)).toBe(503);
    expect(await account.own(await account.tokenOf(`lost-${step}`))).toBe(401);
    // The limit is one of an hour, so it begins anew where the run meets the end of one.
    if (hour() === begun) expect(await account.get("/a/counted", { "x-user": `user-${step}` })).toBe(429);
  }
  // A deployment may replace control's objects a while after control. Then reports come in and are read. Operators' writes
  // wait for its end, since the release before remembers tokens otherwise.
  for (const [more, now] of (["objects", "control"] as const).entries()) {
    await turn([now]);
    await account.get(`/a/close-${steps.length + more}`);
    await account.reported(steps.length + more);
  }
});
