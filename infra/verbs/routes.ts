/** `postern routes` */
import { compile } from "../compiler/compile.ts";
import { report } from "../compiler/report.ts";
import { type Outcome, table } from "../outcome.ts";

export const routes = ({ root, env }: { readonly root: string; readonly env: string }): Outcome => {
  const compiled = compile(root, env);
  const list = compiled.tiers.flatMap(({ plan }) =>
    Object.entries(plan.routes).map(([name, { methods, path, filters, to }]) => ({
      route: `${plan.tier}/${name}`,
      methods,
      hosts: plan.hosts,
      path,
      filters,
      to,
    })),
  );
  const rows = list.map(({ route, methods, path, filters, to }) => [
    route,
    methods.join(","),
    path,
    filters.join(" ") || "-",
    to,
  ]);
  return {
    exitCode: compiled.problems.length > 0 ? 1 : 0,
    text: [table(["route", "method", "path", "filters", "to"], rows), report(compiled.problems, compiled)]
      .filter(Boolean)
      .join("\n"),
    data: { routes: list, problems: compiled.problems },
  };
};
