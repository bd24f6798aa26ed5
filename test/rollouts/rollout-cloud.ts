/** Test harness: a project with a control plane on a local cloud, and simulated users that load it. */
import { spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { text } from "node:stream/consumers";
import { onTestFinished } from "vitest";
import { parse } from "yaml";
import { isOver, type Rollout } from "../../functions/control/model/rollout.ts";
import { type Cloud, type CloudOptions, startCloud } from "../../infra/cloud/cloud.ts";
import { deploy } from "../../infra/commands/release/deploy.ts";
import { compile } from "../../infra/compiler/compile.ts";
import { emit } from "../../infra/compiler/emit/emit.ts";
import { applyState } from "../../infra/dev/apply.ts";
import { controlClient } from "../../infra/release/control-client.ts";
import { localSecrets } from "../../infra/release/secrets.ts";
import { targetOf } from "../../infra/release/target.ts";
import { wrangler } from "../../infra/release/wrangler.ts";
import { writeProject } from "../e2e/project.ts";
import { bank } from "../fixtures/bank.ts";
import { until } from "../until.ts";
import type { LoadReport } from "./users.ts";

const samples = parse(fs.readFileSync(path.join(bank, "routes/environments/local.yaml"), "utf8")) as {
  readonly control: { readonly key: string; readonly operators: object };
  readonly dev: { readonly secrets: Readonly<Record<string, string>> };
};

/** The samples' keys, for a cloud at these addresses. The environment is called `local`, whose secrets are here. */
const environment = (api: string, edge: string, control: object, front: object): string =>
  JSON.stringify({
    values: {},
    kv: { feed: "00000000000000000000000000000002" },
    front: { "gray-key": { header: "x-device-id" }, ...front },
    control: {
      ...samples.control,
      host: "control.localhost",
      account: "00000000000000000000000000000001",
      api: api.replace("127.0.0.1", "localhost"),
      front: edge,
      ...control,
    },
    dev: { secrets: { ...samples.dev.secrets, PROMETHEUS_TOKEN: "token-of-a-test" } },
  });

/** The long form uploads every Worker by wrangler, which takes a second each; CI uploads only what a test releases. */
export const full = process.env.POSTERN_FULL === "1";

/**
 * @param control further keys of the environment's `control`
 * @param front further keys of its `front`
 */
export const rolloutCloud = async (
  files: Readonly<Record<string, string>>,
  options: Partial<CloudOptions> = {},
  control: object = {},
  front: object = {},
) => {
  const root = writeProject({ "routes/environments/local.yaml": "values: {}\n", ...files });
  const lines: string[] = [];
  const tell = (line: string) => void lines.push(line);
  const cloud = await startCloud({
    folder: path.join(root, ".cloud"),
    edgePort: 0,
    apiPort: 0,
    log: tell,
    report: tell,
    ...options,
  });
  onTestFinished(() => cloud.close());
  fs.writeFileSync(
    path.join(root, "routes/environments/local.yaml"),
    environment(cloud.api, cloud.edge, control, front),
  );
  const target = targetOf(cloud.api);
  const deployTiers = async (tiers: readonly string[], split: string) => {
    const outcome = await deploy(tiers, { root, target: cloud.api, split, message: "a test" });
    if (outcome.exitCode !== 0) throw new Error(outcome.text);
  };
  if (full) await deployTiers([], "100");
  else await applyDirectly(root, cloud);
  const clientAs = (operator: string) => controlClient(root, compile(root, "local").environment, target, operator);
  const client = clientAs("alice");
  const status = (tier: string) => client.call<Rollout>("GET", `/v1/tiers/${tier}/rollout`);
  return {
    root,
    cloud,
    lines,
    clientAs,
    client,
    status,
    edit: (file: string, content: string) => fs.writeFileSync(path.join(root, file), content),
    deploy: deployTiers,
    /** Uploads the new versions of all edited tiers at 0 %, without wrangler. */
    uploadEdited: () => applyDirectly(root, cloud, 0),
    /** Uploads another main module for a gate or the front by wrangler, at 0 %. */
    upload: async (worker: string, main: string) => {
      const [live] = (cloud.control.worker(worker).deployments[0]?.versions ?? []).toSorted(
        (a, b) => b.percentage - a.percentage,
      );
      const own = worker.startsWith("postern-front") ? "front" : `gates/${worker.replace(/^gate-|-local$/g, "")}`;
      const folder = path.join(root, ".build/local", own);
      const config = JSON.parse(fs.readFileSync(path.join(folder, "wrangler.json"), "utf8"));
      fs.writeFileSync(path.join(folder, "other.js"), main);
      fs.writeFileSync(path.join(folder, "other.json"), JSON.stringify({ ...config, main: "other.js" }));
      await wrangler(target, ["versions", "upload", "-c", path.join(folder, "other.json")]);
      const uploaded = cloud.control.worker(worker).versions.at(-1);
      const shares = [`${live?.version_id}@100`, `${uploaded?.id}@0`];
      await wrangler(target, ["versions", "deploy", ...shares, "--name", worker, "-y"]);
    },
    start: (tier: string, body: object = {}) =>
      client.call<Rollout>("POST", `/v1/tiers/${tier}/rollouts`, { reason: "a test", ...body }),
    /** Waits until the rollout has this status. */
    settledAt: async (tier: string, wanted: Rollout["status"], withinMs: number): Promise<Rollout> => {
      let it = await status(tier);
      const isThere = async () => {
        it = await status(tier);
        return it.status === wanted;
      };
      await until(isThere, () => `the rollout is ${wanted}: ${JSON.stringify(it)}`, withinMs);
      return it;
    },
    /** Waits until the rollout ends or waits for a person. */
    settled: async (tier: string, withinMs: number): Promise<Rollout> => {
      let it = await status(tier);
      const over = async () => {
        it = await status(tier);
        return isOver(it) || it.status === "paused";
      };
      await until(over, () => `the rollout ends or waits: ${JSON.stringify(it)}`, withinMs);
      return it;
    },
  };
};

const applyDirectly = async (root: string, cloud: Cloud, split = 100): Promise<void> => {
  const result = compile(root, "local");
  const { kv, dev } = result.environment.value;
  const secrets = localSecrets(root, "local", dev.secrets);
  const emitted = await emit(root, result);
  const { refused } = await applyState(cloud, {
    emitted,
    extraWorkers: {},
    consumers: result.consumers,
    namespaces: kv,
    secrets,
    split,
  });
  if (Object.keys(refused).length > 0) throw new Error(JSON.stringify(refused));
};

export type RolloutCloud = Awaited<ReturnType<typeof rolloutCloud>>;

/** @param tokens the users' bearer tokens, separated by commas, each in turn */
export const startUsers = (edge: string, target: string, count: number, rate: number, tokens = "") => {
  const script = path.join(import.meta.dirname, "users.ts");
  const child = spawn(process.execPath, [script, edge, target, String(count), String(rate), tokens], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const output = text(child.stdout);
  return {
    end: async (): Promise<LoadReport> => {
      child.stdin.end();
      return JSON.parse(await output) as LoadReport;
    },
  };
};
