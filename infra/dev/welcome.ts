/** The text that the dev loop prints when it is ready: its URL, the routes, and commands to paste. */
import pc from "picocolors";
import type { Compiled } from "../compiler/compile.ts";
import { describeWhen } from "../explain/why-not.ts";
import { table } from "../terminal/table.ts";

/** The maximum number of listed routes, so that the commands to paste stay visible. */
const mostRoutes = 20;

export const welcome = ({ tiers, environment }: Compiled, url: string, ms: number): string => {
  const rows = tiers.flatMap(({ checked: { manifest, routes } }) =>
    routes.map(({ name, methods, path, when, chain }) => [
      `${manifest.tier}/${name}`,
      methods.join(","),
      `${url.replace("localhost", manifest.hosts[0] ?? "localhost")}${path}`,
      describeWhen(when),
      chain.map(({ id }) => id.replace(`${name}/`, "")).join(" › ") || "-",
    ]),
  );
  const lines = environment.value.dev.try.map(
    ({ say, run }) => `${pc.dim(`# ${say}`)}\n${run.replaceAll("http://localhost:8787", url)}`,
  );
  return [
    `${pc.bold("postern")} ${url}  ${pc.dim(`ready in ${(ms / 1000).toFixed(1)} s, reloads after edits of routes/ and functions/`)}\n`,
    table(["route", "method", "url", "when", "filters"], rows.slice(0, mostRoutes)) +
      rest(rows.length, environment.name),
    ...(lines.length > 0 ? [`Paste into another shell:\n\n${lines.join("\n")}\n`] : []),
  ].join("\n");
};

const rest = (count: number, env: string): string =>
  count > mostRoutes ? `${count - mostRoutes} more: npx postern routes --env ${env}\n` : "";
