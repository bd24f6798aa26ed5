/** Cases of a tier whose requests are checked by schemas: tried in the runtime, and counted. */
import { expect, it } from "vitest";
import { failureLines, runCases, sharedRuntime } from "./run-cases.ts";

const runtime = sharedRuntime();

const body = `filters: [{ body-limit: 64B }]
routes:
  create:
    match: POST /orders
    to: it
    filters:
      - validate:
          query: { additionalProperties: false }
          body: { type: object, required: [sku], properties: { sku: { type: string } } }
  list:
    match: GET /orders
    to: it
    filters:
      - validate: { query: { properties: { limit: { type: integer } } } }
`;

const cases = `- it: takes an order
  send: { request: POST /t/orders, json: { sku: a } }
  expect: { status: 200 }
- it: takes no order without a sku
  send: { request: POST /t/orders, json: {} }
  upstream: { it: { sees: nothing } }
  expect: { status: 422, code: body-invalid, by: create/validate }
- it: takes no other parameter
  send: { request: POST /t/orders?a=1, json: { sku: a } }
  expect: { status: 400, code: parameters-invalid, by: create/validate }
- it: lists
  send: GET /t/orders?limit=5
  expect: { status: 200 }
`;

it("are tried with the schemas' own checks", async () => {
  const report = await runCases(body, cases, runtime());
  expect(failureLines(report)).toEqual([]);
  const untried = report.coverage.untried.map(({ says }) => says);
  // Of a filter without a body, none of its codes about bodies.
  expect(untried.filter((it) => it.includes("validate"))).toEqual([
    "create/validate refuses: body-missing",
    "create/validate refuses: body-malformed",
    "create/validate refuses: content-type-unsupported",
    "create/validate refuses: body-too-large",
    "create/validate refuses: body-incomplete",
    "create/validate refuses: body-late",
    "list/validate refuses: parameters-invalid",
  ]);
});

it("fail where the schema is another one", async () => {
  const report = await runCases(body.replace("required: [sku]", "required: []"), cases, runtime());
  expect(failureLines(report)).toEqual([
    "1 status: expected 422, got 200",
    "1 code: expected body-invalid, got none",
    "1 by: expected create/validate, got nobody",
    "1 it saw: expected nothing, got POST /t/orders",
  ]);
});
