/** A local cloud with Workers of the previous release, of this one, or of both, and checks of each pair that communicates. */

import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { importJWK, SignJWT } from "jose";
import { expect, onTestFinished } from "vitest";
import { revocationHash } from "../../../functions/gateway/core/ports/revocations.ts";
import { startCloud } from "../../../infra/cloud/cloud.ts";
import { compile } from "../../../infra/compiler/compile.ts";
import { type Emitted, emit } from "../../../infra/compiler/emit/emit.ts";
import { applyState } from "../../../infra/dev/apply.ts";
import { controlClient } from "../../../infra/release/control-client.ts";
import { localSecrets } from "../../../infra/release/secrets.ts";
import { targetOf } from "../../../infra/release/target.ts";
import { until } from "../../until.ts";
import { filesOf, issuer, writeProject } from "./project.ts";
import { recordedAt } from "./recorded.ts";

/** The release of a Worker: the previous one, or this one. */
export type Release = "before" | "now";

/** Gates apply a change within ten seconds. */
const applyMs = 20_000;

export const openAccount = async () => {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), "postern-account-"));
  onTestFinished(() => fs.rmSync(root, { recursive: true, force: true }));
  const lines: string[] = [];
  const log = (line: string) => void lines.push(line);
  const cloud = await startCloud({ folder: path.join(root, ".cloud"), edgePort: 0, apiPort: 0, log, report: log });
  onTestFinished(() => cloud.close());
  const at = { api: cloud.api.replace("127.0.0.1", "localhost"), edge: cloud.edge };
  writeProject(root, filesOf(at.api, at.edge));
  const compiled = compile(root, "local");
  const { kv, dev } = compiled.environment.value;
  const secrets = localSecrets(root, "local", dev.secrets);
  const workers: Readonly<Record<Release, readonly Emitted[]>> = {
    before: recordedAt(path.join(root, ".before"), at),
    now: await emit(root, compiled),
  };
  const as = (operator: string) => controlClient(root, compiled.environment, targetOf(cloud.api), operator);

  const get = async (target: string, headers: Record<string, string> = {}): Promise<number> => {
    const response = await fetch(cloud.edge + target, { headers });
    await response.arrayBuffer();
    return response.status;
  };
  const tokenOf = async (jti: string): Promise<string> =>
    new SignJWT({ iss: issuer, aud: "a", sub: "alice", jti })
      .setProtectedHeader({ alg: "EdDSA", kid: "k1" })
      .setIssuedAt()
      .setExpirationTime("10m")
      .sign(await importJWK(JSON.parse(secrets.CONTROL_KEY as string), "EdDSA"));
  const own = async (token: string) => get("/a/own", { authorization: `Bearer ${token}` });

  /** Waits until gate, front and tail have reported a route's requests to control. */
  const reported = (step: number): Promise<void> => {
    const counted = async () => {
      const text = await as("alice").call<string>("GET", "/metrics?tier=a");
      const has = (name: string, labels: string) =>
        text.split("\n").some((line) => line.startsWith(`${name}{`) && line.includes(labels));
      return (
        has("postern_requests_total", `route="close-${step}"`) &&
        has("postern_cpu_requests_total", `route="close-${step}"`) &&
        has("postern_front_requests_total", 'tier="a"')
      );
    };
    return until(counted, "control has counted what gate, tail and front report", applyMs);
  };

  return {
    root,
    cloud,
    reported,
    lines,
    as,
    get,
    own,
    tokenOf,
    /** @param releaseOf the release of each kind of Worker, and of control's Durable Objects */
    turn: async (releaseOf: (kind: Emitted["kind"] | "objects") => Release, split = 100): Promise<void> => {
      const all = workers.now.map((it) => {
        const before = workers.before.find(({ worker }) => worker === it.worker) as Emitted;
        return releaseOf(it.kind) === "now" ? it : before;
      });
      const objects = releaseOf("objects");
      const emitted = objects === releaseOf("control") ? all : apart(root, all, workers[objects]);
      const wanted = { emitted, extraWorkers: {}, consumers: [], namespaces: kv, secrets, split };
      expect((await applyState(cloud, wanted)).refused).toEqual({});
    },
    /** Exercises every call between Workers once. @param step makes names unique */
    tryAll: async (step: number): Promise<void> => {
      const client = as("alice");
      // Gate and state: a limit of two.
      const user = { "x-user": `user-${step}` };
      expect([await get("/a/counted", user), await get("/a/counted", user), await get("/a/counted", user)]).toEqual([
        200, 200, 429,
      ]);
      // Gate and feed, control and feed: closes a route and revokes a token.
      const [lost, kept] = await Promise.all([tokenOf(`lost-${step}`), tokenOf(`kept-${step}`)]);
      expect([await own(lost), await own(kept), await get(`/a/close-${step}`)]).toEqual([200, 200, 200]);
      const { entries } = await client.call<{ readonly entries: readonly object[] }>("POST", "/v1/tiers/a/overlay", {
        kind: "close",
        route: `close-${step}`,
        for: "10m",
        reason: "a test",
      });
      expect(entries).toContainEqual(expect.objectContaining({ kind: "close", route: `close-${step}`, by: "alice" }));
      const hash = await revocationHash(issuer, `lost-${step}`);
      const revocation = { kind: "token", issuer, hash, for: "10m", reason: "a test" };
      await client.call("POST", "/v1/tiers/a/revocations", revocation);
      const refused = async () => (await get(`/a/close-${step}`)) === 503 && (await own(lost)) === 401;
      await Promise.all([until(refused, "the route is closed and the token is refused", applyMs), reported(step)]);
      expect(await own(kept)).toBe(200);
      // Control and actuator: reads the live versions from the platform.
      const start = client.call("POST", "/v1/tiers/b/rollouts", { reason: "a test" });
      await expect(start).rejects.toThrow("has a new version beside its stable one");
    },
  };
};

/**
 * Control with the Durable Objects of another release, as during a deployment: the objects belong to a separate Worker.
 */
const apart = (root: string, all: readonly Emitted[], others: readonly Emitted[]): readonly Emitted[] => {
  const folder = fs.mkdtempSync(path.join(root, "control-"));
  const owner = others.find(({ kind }) => kind === "control") as Emitted;
  const own = all.find(({ kind }) => kind === "control") as Emitted;
  const copy = (it: Emitted, worker: string, change: (config: Config) => object): Emitted => {
    const at = path.join(folder, worker);
    fs.cpSync(it.folder, at, { recursive: true });
    const file = path.join(at, "wrangler.json");
    fs.writeFileSync(file, JSON.stringify(change(JSON.parse(fs.readFileSync(file, "utf8")))));
    // A different digest, so that it is uploaded again, before the Workers that are bound to it.
    return { ...it, worker, folder: at, digest: worker + it.digest, kind: worker === ownerName ? "state" : it.kind };
  };
  const borrowing = ({ migrations, durable_objects: { bindings }, ...config }: Config) => ({
    ...config,
    durable_objects: { bindings: bindings.map((it) => ({ ...it, script_name: ownerName })) },
  });
  return [
    copy(owner, ownerName, ({ routes, ...config }) => ({ ...config, name: ownerName })),
    ...all.filter((it) => it !== own),
    copy(own, own.worker, borrowing),
  ];
};

const ownerName = "postern-objects-local";

interface Config {
  readonly routes?: unknown;
  readonly migrations: unknown;
  readonly durable_objects: { readonly bindings: readonly object[] };
}

export type OpenAccount = Awaited<ReturnType<typeof openAccount>>;
