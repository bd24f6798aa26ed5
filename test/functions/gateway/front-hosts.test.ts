/** The front alone: unusual hosts reach no gate, and no gate is blamed for them. */
import { expect, it } from "vitest";
import type { FrontTelemetry } from "../../../functions/front/telemetry.ts";
import { front } from "../../../functions/front.ts";

const frontHarness = () => {
  const requests: string[] = [];
  const telemetry: FrontTelemetry = {
    version: "v1",
    versionName: "x-postern-front-v1",
    recordAnswer: (_, { tier, status }) => void (tier === null || requests.push(`${tier} ${status}`)),
    recordDeath: (_, tier) => void requests.push(`${tier} died`),
  };
  const plan = {
    grayKey: { cookie: "key" },
    tiers: [{ tier: "t", hosts: ["localhost", "*.example"], base: "/t", binding: "GATE" }],
  };
  const gate = { fetch: async () => new Response("served") } as unknown as Fetcher;
  const app = front(plan as unknown as Parameters<typeof front>[0], undefined, telemetry);
  const request = (url: string) => app.fetch(new Request(url), { GATE: gate }, { waitUntil: () => {} });
  return { request, requests };
};

it.each(["http://user@localhost/t/a", "http://user:secret@localhost/t/a", "http://a!b.example/t/a"])(
  "%s is a malformed host, and not counted as a crash of a gate",
  async (url) => {
    const { request, requests } = frontHarness();
    const response = await request(url);
    expect([response.status, (await response.json<{ code: string }>()).code]).toEqual([400, "host-malformed"]);
    expect(requests).toEqual([]);
  },
);

it("serves a valid host", async () => {
  const { request, requests } = frontHarness();
  expect((await request("http://localhost:8080/t/a")).status).toBe(200);
  expect(requests).toEqual(["t 200"]);
});
