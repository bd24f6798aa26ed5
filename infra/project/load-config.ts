/** Loads and checks the configuration of a project. A command does not run with one that is wrong. */
import type * as z from "zod";
import { type ProjectConfig, projectConfig } from "./config.ts";
import { loadModules } from "./load-parts.ts";

/** @throws if it cannot be loaded, or is invalid; the message names all that is wrong */
export const loadConfig = async (root: string, file: string): Promise<ProjectConfig> => {
  const { modules, problems } = await loadModules(root, [file]);
  const [problem] = problems;
  if (problem) throw new Error(`${problem.file}:${problem.line}:${problem.column}  ${problem.message}`);
  const { default: config } = modules.get(file) ?? {};
  if (config === undefined)
    throw Object.assign(new Error(`${file} exports no configuration`), {
      remedy: 'export default defineConfig({ … }), which "postern/config" has',
    });
  const schema = projectConfig();
  const parsed = schema.safeParse(config);
  if (parsed.success) return parsed.data;
  throw new Error(`${file} is invalid\n         ${parsed.error.issues.flatMap(messagesOf).join("\n         ")}`);
};

const messagesOf = (issue: z.core.$ZodIssue): string[] => {
  const at = issue.path.join(".");
  const place = at === "" ? "" : `${at}: `;
  if (issue.code === "unrecognized_keys")
    return issue.keys.map((key) => `${place}there is no key "${key}"; there are ${keysAt(issue.path).join(", ")}`);
  if (issue.code === "invalid_key") return [`${place}${issue.issues[0]?.message ?? issue.message}`];
  return [`${place}${issue.message}`];
};

/** The keys of the configuration, or of one of its targets. */
const keysAt = (path: readonly PropertyKey[]): string[] =>
  path.length === 0 ? ["filters", "upstreams", "targets"] : ["url", "account", "environment"];
