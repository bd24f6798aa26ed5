/** The local cloud, put together: the account on disk, the machines that run it, the edge ahead of them, and the API. */
import { randomBytes } from "node:crypto";
import fs from "node:fs";
import type http from "node:http";
import path from "node:path";
import { createAdaptorServer } from "@hono/node-server";
import { localToken } from "./account/access.ts";
import type { Account, Version, Worker } from "./account/account.ts";
import { type ApiCall, createApi } from "./api/api.ts";
import { type AccountControl, openAccountControl } from "./control/account-control.ts";
import { openTails, type Tails, type TraceEvent } from "./control/tails.ts";
import { type Fleet, openFleet } from "./fleet/fleet.ts";
import { matchHost } from "./ingress/hosts.ts";
import { type Destination, type IncomingRequest, type Ingress, openIngress } from "./ingress/ingress.ts";
import { listen } from "./ingress/listen.ts";
import { refusal } from "./ingress/refusals.ts";
import { killOrphans } from "./machine/orphans.ts";
import { bundleRouter } from "./machine/router.ts";
import type { Realism } from "./machine/routing-state.ts";
import { chooseVersion, type Share } from "./machine/split.ts";
import { openJournal } from "./storage/journal.ts";

export interface CloudOptions {
  /** Keeps the account; another process may not have it open. */
  readonly folder: string;
  /** 0 for a free one. */
  readonly edgePort: number;
  readonly edgeHost?: string;
  /** The option of the command line that gives the edge's port. */
  readonly edgeOption?: string;
  /** Requests are answered 503 until it resolves; without it, until the cloud itself runs. */
  readonly opened?: Promise<unknown>;
  /** Called when a machine begins to start, with the Workers that it will hold. */
  readonly starting?: (workers: readonly string[]) => void;
  /** 0 for a free one; undefined for no API. */
  readonly apiPort?: number | undefined;
  readonly token?: string;
  /** Of each version, in each machine. */
  readonly isolates?: number;
  readonly realism?: Realism | null;
  readonly random?: () => number;
  readonly now?: () => Date;
  /** A line that a Worker wrote. */
  readonly log?: (line: string) => void;
  /** A line about the cloud itself. */
  readonly report?: (line: string) => void;
  readonly onCall?: (call: ApiCall) => void;
}

export interface Cloud {
  readonly control: AccountControl;
  readonly fleet: Fleet;
  readonly tails: Tails;
  readonly edge: string;
  /** Empty where none was asked for. */
  readonly api: string;
  readonly token: string;
  readonly close: () => Promise<void>;
}

/** A machine that has ended is noticed within this time. */
const healthCheckMs = 2000;

/** Miniflare's own, in each folder that it keeps. */
const startupLock = ".miniflare-startup.lock";

/** @throws where a port is taken, or the folder is not this cloud's */
export const startCloud = async (options: CloudOptions): Promise<Cloud> => {
  const { folder, token = localToken, now = () => new Date(), random = Math.random, realism = null } = options;
  const { log = () => {}, report = () => {}, onCall = () => {} } = options;
  const journal = openJournal(folder);
  const tails = openTails(now);
  const running: { ingress?: Ingress; fleet?: Fleet; server?: http.Server; timers: NodeJS.Timeout[] } = { timers: [] };
  const shutDown = async () => {
    running.timers.forEach(clearInterval);
    tails.close();
    running.server?.close();
    running.server?.closeAllConnections();
    await running.ingress?.close();
    await running.fleet?.close();
    journal.close();
  };
  let closing: Promise<void> | undefined;
  const close = () => {
    closing ??= shutDown();
    return closing;
  };
  try {
    // Ahead of all that takes time, so that whoever calls early is told to try again.
    let requests: Requests = starts;
    running.ingress = await openIngress(
      { port: options.edgePort, host: options.edgeHost ?? "localhost", option: options.edgeOption ?? "--edge-port" },
      {
        resolveDestination: (arrived) => requests.resolveDestination(arrived),
        onUnreachable: () => requests.onUnreachable(),
      },
    );
    const orphans = await killOrphans(folder);
    if (orphans > 0) report(`${orphans} machines of a cloud that was killed have been ended`);
    // What processes of before left there leads nowhere, and Miniflare would wait half a minute for each lock.
    for (const leftover of ["registry", `shared/${startupLock}`, `objects/${startupLock}`])
      fs.rmSync(path.join(folder, leftover), { recursive: true, force: true });
    removeUnusedObjects(path.join(folder, "objects/do"), journal.account());
    const fleet = await openFleet({
      folder,
      read: journal.readBlob,
      secret: randomBytes(16).toString("hex"),
      code: await bundleRouter(),
      isolates: options.isolates ?? 1,
      realism,
      log,
      report,
      cloud: async (request) => {
        const worker = decodeURIComponent(new URL(request.url).pathname.split("/").at(-1) ?? "");
        tails.send(worker, (await request.json()) as TraceEvent[]);
        return new Response(null, { status: 204 });
      },
      whenIdle: async () => running.ingress?.whenIdle(),
      tailedWorkers: tails.tailedWorkers,
      starting: options.starting ?? (() => {}),
    });
    running.fleet = fleet;
    await fleet.follow(journal.account());
    const control = openAccountControl(journal, fleet, now);
    const resolveDestination = async ({ host, path: target, header }: IncomingRequest): Promise<Destination> => {
      // Behind the host, since a path may begin with two slashes.
      const { pathname } = new URL(`http://edge${target}`);
      const found = matchHost(journal.account(), host, pathname);
      if (!found) return refusal("address-unrouted", `nothing is routed at ${host}${pathname}`);
      const version = found.version ?? chooseLiveVersion(found.worker, header, random);
      if (!version) return refusal("not-deployed", `${found.worker.name} has no deployment`);
      const urls = await fleet.urlsOf(journal.account(), { worker: found.worker, version });
      const url = urls[Math.floor(random() * urls.length)];
      return url === undefined
        ? refusal("worker-broken", `${found.worker.name} threw at start`)
        : { url: new URL(url) };
    };
    const reportError = (error: unknown) => report((error as Error).message);
    if (realism) running.timers.push(setInterval(() => void control.evict().catch(reportError), realism.evictMs));
    const recover = async () => {
      if (await fleet.hasFailedMachines()) await control.recover();
    };
    running.timers.push(setInterval(() => void recover().catch(reportError), healthCheckMs));
    void Promise.resolve(options.opened).then(
      () => {
        requests = { resolveDestination, onUnreachable: () => void recover().catch(reportError) };
      },
      () => {},
    );
    let apiUrl = "";
    if (options.apiPort !== undefined) {
      const app = createApi({ control, fleet, tails, token, onCall });
      const server = createAdaptorServer({ fetch: app.fetch }) as http.Server;
      running.server = server;
      tails.attach(server);
      await listen(server, options.apiPort, "127.0.0.1", "--api-port");
      const address = server.address();
      apiUrl = `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
    }
    return { control, fleet, tails, edge: running.ingress.url, api: apiUrl, token, close };
  } catch (error) {
    await close();
    throw error;
  }
};

type Requests = Parameters<typeof openIngress>[1];

/** In seconds: what a start takes on a machine with nothing else to do. */
const startSeconds = 5;

const starts: Requests = {
  resolveDestination: async () => refusal("starting", "the Workers are being started; try again", startSeconds),
  onUnreachable: () => {},
};

/** Storage of classes that were deleted, or whose Worker was. */
const removeUnusedObjects = (folder: string, { workers }: Account): void => {
  const used = new Set([...workers.values()].flatMap(({ classes }) => classes.map(({ id }) => id)));
  for (const id of fs.existsSync(folder) ? fs.readdirSync(folder) : [])
    if (!used.has(id)) fs.rmSync(path.join(folder, id), { recursive: true });
};

const chooseLiveVersion = (
  worker: Worker,
  get: IncomingRequest["header"],
  random: () => number,
): Version | undefined => {
  const shares = (worker.deployments[0]?.versions ?? []).flatMap(({ version_id: id, percentage }): Share[] => {
    const number = worker.versions.find((it) => it.id === id)?.number;
    return number === undefined ? [] : [{ id, number, percentage }];
  });
  const choice = chooseVersion(worker.name, shares, { get }, random);
  return worker.versions.find(({ id }) => id === choice?.id);
};
