import { expect, it } from "vitest";
import { make, spec } from "../../../functions/upstreams/worker.ts";
import { conversation, world } from "../conversation.ts";

it("asks the Worker behind its service binding", async () => {
  const asked: string[] = [];
  const fetch = async (request: Request) => {
    asked.push(`${request.method} ${request.url} ${request.headers.get("x-forwarded-for")}`);
    return new Response("from the Worker");
  };
  const { send } = conversation(
    {},
    {
      upstream: (_, deps) => make({ service: "open-rates" }, deps),
      world: world({ env: { SERVICE_OPEN_RATES: { fetch } } }),
    },
  );
  const { status, text } = await send("GET /rates?x=1");
  expect([status, text]).toEqual([200, "from the Worker"]);
  expect(asked).toEqual(["GET https://gate.example/rates?x=1 203.0.113.7"]);
});

it("does not start without its binding", () => {
  expect(() => make({ service: "rates" }, world({ env: {} }))).toThrow(/SERVICE_RATES/);
});

it("says which binding it needs", () => {
  expect(spec().bindings?.({ service: "open-rates", location: "rewrite" })).toEqual([
    { kind: "service", binding: "SERVICE_OPEN_RATES", service: "open-rates" },
  ]);
});
