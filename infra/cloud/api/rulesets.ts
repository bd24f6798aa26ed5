/** The ruleset of a zone that modifies request headers: `http_request_late_transform`. Others are refused by `unsupported.ts`. */
import { createHash, randomUUID } from "node:crypto";
import { type Context, Hono } from "hono";
import * as z from "zod";
import { apiErrors } from "../account/api-errors.ts";
import { type HeaderRule, unknownExpressionIn } from "../account/header-rules.ts";
import type { AccountControl } from "../control/account-control.ts";
import { ok, parseBody } from "./envelope.ts";

const phase = "http_request_late_transform";

const edit = z.union([
  z.strictObject({ operation: z.literal("remove") }),
  z.strictObject({ operation: z.literal("set"), value: z.string() }),
  z.strictObject({ operation: z.literal("set"), expression: z.string() }),
]);
const ruleInput = z.strictObject({
  ref: z.string().max(256).default(""),
  description: z.string().max(500).default(""),
  expression: z.string().max(4096),
  enabled: z.boolean().default(true),
  action: z.literal("rewrite"),
  action_parameters: z.strictObject({ headers: z.record(z.string(), edit) }),
});

/** Without a position a rule is the last one. */
const addedRule = ruleInput.extend({ position: z.strictObject({ before: z.string() }).optional() });

export const rulesets = (control: AccountControl) => {
  const all = () => control.account().headerRules ?? [];
  const inZone = (zone: string) => all().filter((it) => it.zone === zone);
  const known = (zone: string, id: string) => {
    if (id !== rulesetId(zone) || inZone(zone).length === 0) throw apiErrors.noRuleset();
  };
  const ruleOf = (input: z.output<typeof ruleInput>, zone: string, id: string): HeaderRule => {
    const unknown = unknownExpressionIn(input);
    if (unknown !== undefined) throw apiErrors.unsupported(`the expression ${unknown}`);
    return { ...input, id, zone };
  };
  const answer = (c: Context, zone: string) =>
    ok(c, { id: rulesetId(zone), kind: "zone", phase, rules: inZone(zone).map(ruleView) });
  const replace = (zone: string, rules: readonly HeaderRule[]) =>
    control.setHeaderRules([...all().filter((it) => it.zone !== zone), ...rules]);
  return new Hono()
    .get(`/:zone/rulesets/phases/${phase}/entrypoint`, (c) => {
      if (inZone(c.req.param("zone")).length === 0) throw apiErrors.noRuleset();
      return answer(c, c.req.param("zone"));
    })
    .put(`/:zone/rulesets/phases/${phase}/entrypoint`, async (c) => {
      const { zone } = c.req.param();
      const { rules } = await parseBody(c, z.strictObject({ rules: z.array(ruleInput).max(100) }));
      await replace(
        zone,
        rules.map((it) => ruleOf(it, zone, newId())),
      );
      return answer(c, zone);
    })
    .post("/:zone/rulesets/:id/rules", async (c) => {
      const { zone, id } = c.req.param();
      known(zone, id);
      const { position, ...input } = await parseBody(c, addedRule);
      const rules = inZone(zone);
      const at = position ? rules.findIndex((it) => it.id === position.before) : rules.length;
      if (at < 0) throw apiErrors.noRuleset();
      await replace(zone, rules.toSpliced(at, 0, ruleOf(input, zone, newId())));
      return answer(c, zone);
    })
    .patch("/:zone/rulesets/:id/rules/:rule", async (c) => {
      const { zone, id, rule } = c.req.param();
      known(zone, id);
      if (!inZone(zone).some((it) => it.id === rule)) throw apiErrors.noRuleset();
      const changed = ruleOf(await parseBody(c, ruleInput), zone, rule);
      await replace(
        zone,
        inZone(zone).map((it) => (it.id === rule ? changed : it)),
      );
      return answer(c, zone);
    })
    .delete("/:zone/rulesets/:id/rules/:rule", async (c) => {
      const { zone, id, rule } = c.req.param();
      known(zone, id);
      const left = inZone(zone).filter((it) => it.id !== rule);
      if (left.length === inZone(zone).length) throw apiErrors.noRuleset();
      await replace(zone, left);
      return answer(c, zone);
    });
};

const newId = (): string => randomUUID().replaceAll("-", "");

const rulesetId = (zone: string): string => createHash("sha256").update(`${zone} ${phase}`).digest("hex").slice(0, 32);

const ruleView = ({ zone: _, ...rule }: HeaderRule) => rule;
