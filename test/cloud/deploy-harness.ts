/** A project and a local cloud to deploy it to, by wrangler's calls without its process. */
import fs from "node:fs";
import path from "node:path";
import { onTestFinished } from "vitest";
import { startCloud } from "../../infra/cloud/cloud.ts";
import { deploy } from "../../infra/commands/release/deploy.ts";
import { releases } from "../../infra/commands/release/releases.ts";
import { rollback } from "../../infra/commands/release/rollback.ts";
import { set } from "../../infra/commands/release/secrets.ts";
import type { DeployedWorker } from "../../infra/release/deploy-worker.ts";
import type { Target } from "../../infra/release/target.ts";
import { quietly } from "../command-line.ts";
import { manifest, writeProject } from "../e2e/project.ts";
import { direct } from "./direct.ts";

export const environment = "values: {}\n";

/** @param targetAt what deploys to the cloud of this API */
export const deployHarness = async (
  files: Readonly<Record<string, string>>,
  targetAt: (api: string) => Target = direct,
) => {
  const root = writeProject({ "routes/environments/test.yaml": environment, ...files });
  const cloud = await startCloud({ folder: path.join(root, ".cloud"), edgePort: 0, apiPort: 0 });
  onTestFinished(() => cloud.close());
  const options = { root, env: "test", target: targetAt(cloud.api as string) };
  return {
    root,
    cloud,
    options,
    edit: (file: string, text: string) => fs.writeFileSync(path.join(root, file), text),
    get: async (target: string, headers: Record<string, string> = {}) => {
      const response = await fetch(cloud.edge + target, { headers });
      return { status: response.status, text: await response.text() };
    },
    deploy: async (tiers: readonly string[] = [], split = "100", prune?: true, force?: true) => {
      const outcome = await quietly(() => deploy(tiers, { ...options, split, message: "a reason", prune, force }));
      const { workers } = outcome.data as { readonly workers: readonly DeployedWorker[] };
      return {
        ...outcome,
        done: Object.fromEntries(workers.map(({ worker, what, share }) => [worker, `${what} ${share}`])),
      };
    },
    releases: (tier: string) => releases(tier, options),
    rollback: (tier: string, more: { to?: string; oldSecrets?: true } = {}) => rollback(tier, { ...options, ...more }),
    secret: (name: string, value: string) => set(name, options, async () => value),
  };
};

/** Says in each answer which edit it is of. */
export const tier = (name: string, url: string, edit: string, extra = "") =>
  manifest(
    name,
    `${extra}upstreams: { it: { http: "${url}" } }
routes:
  it: { match: GET /it, to: it }
  which: { match: GET /which, respond: { status: 200, text: "${edit}" } }
`,
  );
