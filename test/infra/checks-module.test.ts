/** The module of checks that stands beside a plan: made once of equal things, and measured. */
import { expect, it } from "vitest";
import { bytesOfChecks, moduleOf, type TierPlans } from "../../infra/openapi/module.ts";
import type { Schema } from "../../infra/openapi/schemas.ts";

const plans = (schema: Schema): TierPlans => ({
  tier: "shop",
  plans: {
    validate: { all: { POST: { parameters: [], body: { required: true, types: { "application/json": schema } } } } },
  },
  definitions: { validate: { d0: { type: "integer" } } },
});

const loaded = async (all: readonly TierPlans[]) =>
  (await import(`data:text/javascript;base64,${Buffer.from(await moduleOf(all)).toString("base64")}`)).default.shop
    .validate.all.POST.body.types["application/json"];

it("is made once, so that an edit of another tier compiles nothing anew", () => {
  const made = moduleOf([plans({ $ref: "#/$defs/d0" })]);
  expect(moduleOf([plans({ $ref: "#/$defs/d0" })])).toBe(made);
  expect(moduleOf([plans({ type: "string" })])).not.toBe(made);
});

it("leaves listed values alone that look like references", async () => {
  const check = await loaded([plans({ enum: [{ $ref: "#/$defs/d0" }] })]);
  expect([check({ $ref: "#/$defs/d0" }), check(1)]).toEqual([true, false]);
});

it("is measured by what its schemas need", () => {
  const [small = 0, large = 0] = [1, 100].map((count) =>
    bytesOfChecks(
      plans({
        properties: Object.fromEntries(Array.from({ length: count }, (_, at) => [`p${at}`, { minLength: at }])),
      }),
    ),
  );
  expect(large).toBeGreaterThan(small * 10);
});
