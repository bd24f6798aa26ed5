/** `postern preview`: deploys and removes the environment of a pull request. */
import { compile } from "../../compiler/compile.ts";
import { emit } from "../../compiler/emit/emit.ts";
import { count, renderProblems } from "../../diagnostics/report.ts";
import { removeWorkers } from "../../release/leftovers.ts";
import {
  collisions,
  previewName,
  removeEnvironment,
  workersOfPreview,
  writeEnvironment,
} from "../../release/preview.ts";
import { type Target, targetOf } from "../../release/target.ts";
import type { Outcome } from "../../terminal/outcome.ts";
import { deploy } from "./deploy.ts";

interface PreviewOptions {
  readonly root: string;
  readonly target: string | Target;
}

/** Deploys everything that has changed since the last time. */
export const up = async (number: string, { root, target }: PreviewOptions): Promise<Outcome> => {
  const name = previewName(number);
  writeEnvironment(root, name);
  const compiled = compile(root, name);
  if (compiled.problems.length > 0)
    return { exitCode: 1, text: renderProblems(compiled.problems, compiled), data: { problems: compiled.problems } };
  const hosts = [...new Set(compiled.front.tiers.flatMap((it) => it.hosts))].sort();
  const conflicts = collisions(name, hosts, await emit(root, compiled));
  if (conflicts.length > 0) throw new Error(`nothing was uploaded:\n${conflicts.map((it) => `  ${it}`).join("\n")}`);
  const deployed = await deploy([], {
    root,
    env: name,
    target,
    split: "100",
    message: `pull request ${number}`,
    prune: true,
  });
  if (deployed.exitCode !== 0) return deployed;
  return {
    ...deployed,
    text: `${deployed.text}${hosts.map((it) => `${name} answers on ${it}\n`).join("")}`,
    data: { ...(deployed.data as object), hosts },
  };
};

export const down = async (number: string, { root, target }: PreviewOptions): Promise<Outcome> => {
  const name = previewName(number);
  const destination = targetOf(target);
  const workers = await workersOfPreview(destination, name);
  await removeWorkers(destination, workers);
  removeEnvironment(root, name);
  const text =
    workers.length === 0
      ? `${name} has no Workers\n`
      : `removed ${count(workers.length, "Worker")}: ${workers.join(", ")}\n`;
  return { exitCode: 0, text, data: { environment: name, removed: workers } };
};
