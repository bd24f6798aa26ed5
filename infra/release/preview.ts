/** Previews: an environment per pull request with its own Workers, hosts and file. */
import fs from "node:fs";
import path from "node:path";
import type { Emitted } from "../compiler/emit/emit.ts";
import { accessOf, listWorkers } from "./api.ts";
import type { Target } from "./target.ts";

const template = "routes/environments/preview.yaml";
/** Placeholder in the template for the preview's name. */
const placeholder = "preview-0";

const fileOf = (name: string): string => `routes/environments/${name}.yaml`;

/** Whether the environment is a preview. */
export const isPreview = (environment: string): boolean => /^preview-[1-9]\d{0,6}$/.test(environment);

/** @throws if it is not the number of a pull request */
export const previewName = (number: string): string => {
  const name = `preview-${number}`;
  if (!isPreview(name)) throw new Error(`"${number}" is not the number of a pull request, such as 7`);
  return name;
};

/** Writes the preview's environment file from the template. */
export const writeEnvironment = (root: string, name: string): void => {
  const whole = path.join(root, template);
  if (!fs.existsSync(whole))
    throw new Error(
      `there is no ${template}; write the previews' environment, with ${placeholder} in place of the preview's name: api-host: ${placeholder}.acme.example`,
    );
  const text = fs.readFileSync(whole, "utf8").replaceAll(new RegExp(`${placeholder}(?![\\w-])`, "g"), name);
  fs.writeFileSync(path.join(root, fileOf(name)), text);
};

export const removeEnvironment = (root: string, name: string): void =>
  fs.rmSync(path.join(root, fileOf(name)), { force: true });

/** Hosts and Workers that are not unique to the preview. */
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
    .map((it) => `the host ${it} is shared by all previews; write ${placeholder} into its value in ${template}`),
  ...workers
    .filter((it) => !it.worker.endsWith(`-${name}`))
    .map(
      ({ worker }) =>
        `the Worker ${worker} has a name that is too long for a preview; shorten the tier's or route's name`,
    ),
  ...workers
    .filter(({ kind }) => kind === "control")
    .map(() => `a preview has no control plane; remove \`control\` from ${template}`),
];

/** Removal order: a Worker is removed before those it is bound to. */
const removalOrder = ["postern-front-", "gate-", "state-"] as const;

/**
 * The preview's existing Workers, in removal order, regardless of the current manifests.
 * @throws without a token, because wrangler has no command that lists Workers
 */
export const workersOfPreview = async (target: Target, name: string): Promise<string[]> => {
  const access = accessOf(target);
  if (!access)
    throw new Error("set CLOUDFLARE_API_TOKEN and CLOUDFLARE_ACCOUNT_ID: they are needed to list the Workers");
  const all = await listWorkers(access);
  const stage = (worker: string) => removalOrder.findIndex((it) => worker.startsWith(it));
  return all
    .filter((it) => it.endsWith(`-${name}`) && stage(it) >= 0)
    .toSorted((a, b) => stage(a) - stage(b) || (a < b ? -1 : 1));
};
