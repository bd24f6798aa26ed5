/** Two tiers whose documents have an operation for each row: one of OpenAPI 3.0, and one of 3.1. */
import { manifest } from "../../e2e/project.ts";
import type { ParameterRow } from "./row.ts";
import { rows } from "./rows.ts";

type Version = "3.0.3" | "3.1.1";

export const tiers: Readonly<Record<Version, string>> = { "3.0.3": "old", "3.1.1": "new" };

export const versionOf = ({ version = "3.1.1" }: ParameterRow): Version => version;

const inPath = ({ parameters = [] }: ParameterRow): boolean => parameters.some((it) => "in" in it && it.in === "path");

const pathOf = (row: ParameterRow, at: number): string => `/r${at}${inPath(row) ? "/{color}" : ""}`;

const methodOf = ({ content }: ParameterRow): "POST" | "GET" => (content ? "POST" : "GET");

const document = (version: Version): string => {
  const own = rows.flatMap((row, at) => (versionOf(row) === version ? [{ row, path: pathOf(row, at) }] : []));
  const operations = own.map(({ row, path }) => {
    const { parameters, content } = row;
    const body = content && { requestBody: { required: true, content } };
    return [path, { [methodOf(row).toLowerCase()]: { ...(parameters && { parameters }), ...body } }] as const;
  });
  const schemas = Object.assign({}, ...own.map(({ row }) => row.schemas ?? {}));
  return JSON.stringify({ openapi: version, paths: Object.fromEntries(operations), components: { schemas } });
};

const tier = (version: Version, url: string): string => {
  const routes = rows.flatMap((row, at) =>
    versionOf(row) === version ? [`  r${at}: { match: "${methodOf(row)} ${pathOf(row, at)}", to: it }`] : [],
  );
  const name = tiers[version];
  return manifest(
    name,
    `filters: [{ body-limit: 1MiB }, { validate: openapi/${name}.json }]
upstreams: { it: { http: "${url}" } }
routes:
${routes.join("\n")}
`,
  );
};

export const files = (url: string): Record<string, string> =>
  Object.fromEntries(
    (Object.keys(tiers) as Version[]).flatMap((version) => [
      [`routes/openapi/${tiers[version]}.json`, document(version)],
      [`routes/${tiers[version]}.yaml`, tier(version, url)],
    ]),
  );

export interface Request {
  readonly method: string;
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: string | undefined;
}

export const requestOf = (row: ParameterRow, sent: ParameterRow["takes"][number]): Request => {
  const { headers = {}, body, query = "" } = typeof sent === "string" ? { query: sent } : sent;
  return {
    method: methodOf(row),
    path: `/${tiers[versionOf(row)]}/r${rows.indexOf(row)}${query}`,
    headers,
    body,
  };
};
