/** `postern check` */
import { compile } from "../compiler/compile.ts";
import { report } from "../compiler/report.ts";
import type { Outcome } from "../outcome.ts";

export const check = ({ root, env }: { readonly root: string; readonly env: string }): Outcome => {
  const compiled = compile(root, env);
  const { problems, read, broken, tiers } = compiled;
  const routes = tiers.reduce((sum, { plan }) => sum + Object.keys(plan.routes).length, 0);
  return {
    exitCode: problems.length > 0 ? 1 : 0,
    text: report(problems, compiled) || `${tiers.length} tiers with ${routes} routes hold in ${env}\n`,
    data: { environment: env, manifests: read, broken, routes, problems },
  };
};
