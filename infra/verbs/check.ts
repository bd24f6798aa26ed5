/** `postern check` */
import pc from "picocolors";
import { annotations } from "../compiler/annotations.ts";
import { compile, manifestFiles } from "../compiler/compile.ts";
import { inOrder } from "../compiler/problem.ts";
import { count, report } from "../compiler/report.ts";
import { environmentNames } from "../compiler/surroundings.ts";
import type { Outcome } from "../outcome.ts";

interface Options {
  readonly root: string;
  readonly env?: string | undefined;
  readonly format?: "human" | "github" | undefined;
}

/** In every environment, since a value that only one of them lacks stops a release there. */
export const check = ({ root, env, format = "human" }: Options): Outcome => {
  const environments = env === undefined ? environmentNames(root) : [env];
  if (environments.length === 0 && manifestFiles(root))
    throw new Error("there is no environment; write routes/environments/local.yaml");
  const all = environments.map((name) => compile(root, name));
  const problems = inOrder(all.flatMap((it) => it.problems));
  const broken = new Set(all.flatMap((it) => it.brokenFiles));
  const [{ read, tiers } = { read: 0, tiers: [] }] = all;
  const routes = tiers.reduce((sum, { checked }) => sum + checked.routes.length, 0);
  const holds = `${count(tiers.length, "tier")} with ${count(routes, "route")} hold in ${environments.join(" and ")}\n`;
  const shown = format === "github" ? annotations(problems) : report(problems, { read, broken: broken.size });
  return {
    exitCode: problems.length > 0 ? 1 : 0,
    text: shown || pc.green(holds),
    data: { environments, manifests: read, broken: broken.size, routes, problems },
  };
};
