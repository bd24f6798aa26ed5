/** The upstream `worker`: calls through a service binding. */
import { expect, it } from "vitest";
import { make, spec } from "../../../functions/upstreams/worker.ts";
import { fakeDeps, gateHarness } from "../gate-harness.ts";

it("calls the Worker through its service binding", async () => {
  const requests: string[] = [];
  const fetch = async (request: Request) => {
    requests.push(`${request.method} ${request.url} ${request.headers.get("x-forwarded-for")}`);
    return new Response("from the Worker");
  };
  const { send } = gateHarness(
    {},
    {
      upstream: (_, deps) => make({ service: "open-rates" }, deps),
      fakeDeps: fakeDeps({ env: { SERVICE_OPEN_RATES: { fetch } } }),
    },
  );
  const { status, text } = await send("GET /rates?x=1");
  expect([status, text]).toEqual([200, "from the Worker"]);
  expect(requests).toEqual(["GET https://gate.example/rates?x=1 203.0.113.7"]);
});

it.each([
  ["rewrite", "https://gate.example/v1/rates/8"],
  ["keep", "https://gate.example/rates/8"],
] as const)("rewrites a redirect to the Worker's own address: %s", async (location, expected) => {
  const headers = { location: "https://gate.example/rates/8" };
  const fetch = async () => new Response(null, { status: 302, headers });
  const { send } = gateHarness(
    {},
    {
      upstream: (_, deps) => make({ service: "open-rates", location }, deps),
      fakeDeps: fakeDeps({ env: { SERVICE_OPEN_RATES: { fetch } } }),
      routes: { it: { match: "GET /v1/rates/{id}", target: "/rates/{path.id}" } },
    },
  );
  expect((await send("GET /v1/rates/7")).headers.location).toBe(expected);
});

it("does not start without its binding", () => {
  expect(() => make({ service: "rates" }, fakeDeps({ env: {} }))).toThrow(/SERVICE_RATES/);
});

it("declares its binding", () => {
  expect(spec().bindings?.({ service: "open-rates", location: "rewrite" })).toEqual([
    { kind: "service", binding: "SERVICE_OPEN_RATES", service: "open-rates" },
  ]);
});
