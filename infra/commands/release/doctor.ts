/** `postern doctor`: what an environment lacks on the platform, found by reading alone. */

import { compile } from "../../compiler/compile.ts";
import type { Check } from "../../doctor/check.ts";
import { checkEnvironment } from "../../doctor/doctor.ts";
import { docsPage } from "../../project/project.ts";
import { accessOf } from "../../release/api.ts";
import { compiledAt } from "../../release/at-target.ts";
import { environmentFor, type Target, targetOf } from "../../release/target.ts";
import type { Outcome } from "../../terminal/outcome.ts";
import { table } from "../../terminal/table.ts";
import { toOneLine } from "../../terminal/terminal.ts";

interface DoctorCommandOptions {
  readonly root: string;
  readonly env?: string | undefined;
  readonly target: string | Target;
  readonly now?: () => number;
}

const states = ["ok", "missing", "not provable"] as const satisfies readonly Check["state"][];

/** @throws if there is no token in the shell: nothing can be read */
export const doctor = async ({ root, env, target: at, now }: DoctorCommandOptions): Promise<Outcome> => {
  const target = targetOf(at);
  const environment = environmentFor(target, env);
  const compiled = compiledAt(compile(root, environment), target);
  const access = accessOf(target);
  if (!access)
    throw Object.assign(new Error("the shell has no CLOUDFLARE_API_TOKEN and CLOUDFLARE_ACCOUNT_ID"), {
      remedy: `set both; the session of \`npx wrangler login\` is wrangler's own. ${docsPage("docs/deploy.md#tokens")} lists the permissions`,
    });
  const checks = await checkEnvironment({ root, compiled, target, access, ...(now && { now }) });
  const missing = checks.filter(({ state }) => state === "missing");
  const counts = states.map((state) => `${checks.filter((it) => it.state === state).length} ${state}`).join(", ");
  const rows = checks.map(({ what, state, why }) => [what, state, toOneLine(why)]);
  const remedies = missing.map(({ what, remedy = "" }) => `${what}\n  ${toOneLine(remedy)}\n`);
  const text = [
    `${environment} on ${target.name}: ${counts}\n`,
    table(["what", "state", "why"], rows),
    ...(remedies.length > 0 ? [`What to do:\n\n${remedies.join("")}`] : []),
  ].join("\n");
  return {
    exitCode: missing.length > 0 ? 1 : 0,
    text,
    data: { environment, target: target.name, checks },
  };
};
