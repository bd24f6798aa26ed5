/** `postern token` prints a token that control accepts for five minutes. */
import fs from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import { parse } from "yaml";
import { authenticate } from "../../functions/control/api/operators.ts";
import type { ControlPlan } from "../../functions/control/model/plan.ts";
import { token } from "../../infra/commands/operate/token.ts";
import { bank } from "../fixtures/bank.ts";

const { control } = parse(fs.readFileSync(path.join(bank, "routes/environments/local.yaml"), "utf8")) as {
  readonly control: Pick<ControlPlan, "operators">;
};

it("prints the operator's token, which expires after five minutes", async () => {
  const { text, data } = await token({ root: bank, target: "local", as: "carol" });
  const authenticateAt = (now: number) =>
    authenticate(`Bearer ${text.trim()}`, { ...control, environment: "local" }, now);
  expect(await authenticateAt(Date.now())).toMatchObject({ name: "carol", role: "viewer" });
  expect(await authenticateAt(Date.now() + 400_000)).toBeUndefined();
  expect(data).toMatchObject({ operator: "carol", seconds: 300 });
});
