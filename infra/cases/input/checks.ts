/** The checks of filters that validate requests, as the runtime of cases takes them: the module that stands beside a gate's plan, as the body of a function. */
import { transform } from "esbuild";
import { tierPlans } from "../../compiler/check/validations.ts";
import type { CheckedTier } from "../../compiler/model/checked.ts";
import { compileModule } from "../../openapi/module.ts";

/** @returns a body that returns `Validators` by tier; null where nothing is validated */
export const validationScript = async (tier: CheckedTier): Promise<string | null> => {
  const plans = tierPlans(tier);
  if (plans.length === 0) return null;
  const { code } = await transform(await compileModule(plans), { format: "iife", globalName: "checks", minify: true });
  return `${code}\nreturn checks.default;`;
};
