/** A preview: an environment that lives as long as a pull request, with Workers, hosts and a file of its own. */
import fs from "node:fs";
import path from "node:path";
import type { Emitted } from "../compiler/emit/emit.ts";
import { accessOf, listWorkers } from "./api.ts";
import type { Target } from "./target.ts";

const template = "routes/environments/preview.yaml";
/** Stands in the template where each preview has its number. */
const placeholder = "preview-0";

const fileOf = (name: string): string => `routes/environments/${name}.yaml`;

/** Whether an environment's Workers go with their pull request. */
export const isPreview = (environment: string): boolean => /^preview-[1-9]\d{0,6}$/.test(environment);

/** @throws where it is no number of a pull request */
export const previewName = (number: string): string => {
  const name = `preview-${number}`;
  if (!isPreview(name)) throw new Error(`"${number}" is no number of a pull request, such as 7`);
  return name;
};

/** Writes the preview's environment from the template that all of them have. */
export const writeEnvironment = (root: string, name: string): void => {
  const whole = path.join(root, template);
  if (!fs.existsSync(whole))
    throw new Error(
      `there is no ${template}; write what previews run on, with ${placeholder} where each has its number: api-host: ${placeholder}.acme.example`,
    );
  const text = fs.readFileSync(whole, "utf8").replaceAll(new RegExp(`${placeholder}(?![\\w-])`, "g"), name);
  fs.writeFileSync(path.join(root, fileOf(name)), text);
};

export const removeEnvironment = (root: string, name: string): void =>
  fs.rmSync(path.join(root, fileOf(name)), { force: true });

/** What would make one preview another's, or something else's. */
export const collisions = (
  name: string,
  hosts: readonly string[],
  workers: readonly Pick<Emitted, "worker" | "kind">[],
): string[] => [
  ...hosts
    .filter(
      (it) =>
        !it.split(".").some((label) => label === name || label.endsWith(`-${name}`) || label.startsWith(`${name}-`)),
    )
    .map((it) => `the host ${it} is that of every preview; write ${placeholder} into its value in ${template}`),
  ...workers
    .filter((it) => !it.worker.endsWith(`-${name}`))
    .map(({ worker }) => `the Worker ${worker} has too long a name for a preview; call its tier or route shorter`),
  ...workers
    .filter(({ kind }) => kind === "control")
    .map(() => `a preview has no control plane; take \`control\` out of ${template}`),
];

/** Who is bound goes before what it is bound to. */
const removalOrder = ["postern-front-", "gate-", "state-"] as const;

/**
 * The preview's Workers that are there, in the order in which they can go; whatever manifests say by now.
 * @throws without a token, since wrangler has no command that lists Workers
 */
export const workersOfPreview = async (target: Target, name: string): Promise<string[]> => {
  const access = accessOf(target);
  if (!access) throw new Error("set CLOUDFLARE_API_TOKEN and CLOUDFLARE_ACCOUNT_ID: what is there is asked with them");
  const all = await listWorkers(access);
  const stage = (worker: string) => removalOrder.findIndex((it) => worker.startsWith(it));
  return all
    .filter((it) => it.endsWith(`-${name}`) && stage(it) >= 0)
    .toSorted((a, b) => stage(a) - stage(b) || (a < b ? -1 : 1));
};
