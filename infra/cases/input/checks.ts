/** Bundles a tier's request validation as a script that the case Worker can evaluate. */
import { transform } from "esbuild";
import { tierPlans } from "../../compiler/check/validations.ts";
import type { CheckedTier } from "../../compiler/model/checked.ts";
import { compileModule } from "../../openapi/module.ts";

/** @returns a function body that returns `Validators` by tier; null without validation */
export const validationScript = async (tier: CheckedTier): Promise<string | null> => {
  const plans = tierPlans(tier);
  if (plans.length === 0) return null;
  const { code } = await transform(await compileModule(plans), { format: "iife", globalName: "checks", minify: true });
  return `${code}\nreturn checks.default;`;
};
