/** The local cloud: the account on disk, the machines that run it, the edge in front of them, and the API. */
import { randomBytes } from "node:crypto";
import type http from "node:http";
import { createAdaptorServer } from "@hono/node-server";
import { localToken } from "./account/access.ts";
import { type ApiCall, type ApiOptions, createApi } from "./api/api.ts";
import { type AccountControl, openAccountControl } from "./control/account-control.ts";
import { openTails, type Tails, type TraceEvent } from "./control/tails.ts";
import { type Fleet, openFleet } from "./fleet/fleet.ts";
import { destinationResolver } from "./ingress/destination.ts";
import type { ForwardOptions } from "./ingress/forward.ts";
import { type Ingress, openIngress } from "./ingress/ingress.ts";
import { listen } from "./ingress/listen.ts";
import { refusal } from "./ingress/refusals.ts";
import { removeLeftovers } from "./leftovers.ts";
import { bundleRouter } from "./machine/router.ts";
import type { Realism } from "./machine/routing-state.ts";
import { type Journal, openJournal } from "./storage/journal.ts";

export interface CloudOptions {
  /** Keeps the account. One process at a time has it open. */
  readonly folder: string;
  /** 0 for a free one. */
  readonly edgePort: number;
  readonly edgeHost?: string;
  /** The option of the command line that sets the edge's port. */
  readonly edgeOption?: string;
  /** Requests are answered 503 until it resolves; without it, until the cloud itself runs. */
  readonly opened?: Promise<unknown>;
  /** Called when a machine begins to start, with the Workers that it will run. */
  readonly starting?: (workers: readonly string[]) => void;
  /** 0 for a free one; undefined for no API. */
  readonly apiPort?: number | undefined;
  readonly token?: string;
  /** For each version, in each machine. */
  readonly isolates?: number;
  readonly realism?: Realism | null;
  readonly random?: () => number;
  readonly now?: () => Date;
  /** Takes a line that a Worker logged. */
  readonly log?: (line: string) => void;
  /** Takes a line about the cloud itself. */
  readonly report?: (line: string) => void;
  readonly onCall?: (call: ApiCall) => void;
}

export interface Cloud {
  readonly control: AccountControl;
  readonly fleet: Fleet;
  readonly tails: Tails;
  readonly edge: string;
  /** Empty if there is no API. */
  readonly api: string;
  readonly token: string;
  readonly close: () => Promise<void>;
}

/** A machine that has ended is noticed within this time. */
const healthCheckMs = 2000;

/** The API keeps an idle connection longer than its clients do, so that none sends a request on one that is closing. */
const apiKeepAliveMs = 65_000;

/** What runs, in the order in which it was started. */
interface Running {
  readonly timers: NodeJS.Timeout[];
  fleet?: Fleet;
  ingress?: Ingress;
  server?: http.Server;
}

/** @throws if a port is taken, or the folder is not this cloud's */
export const startCloud = async (options: CloudOptions): Promise<Cloud> => {
  const { folder, token = localToken, now = () => new Date(), random = Math.random, report = () => {} } = options;
  const journal = openJournal(folder);
  const tails = openTails(now);
  const running: Running = { timers: [] };
  let closing: Promise<void> | undefined;
  const close = () => {
    closing ??= shutDown(running, tails).then(journal.close);
    return closing;
  };
  try {
    // The port opens before all that takes time, so that an early client gets a 503 and tries again.
    let requests: ForwardOptions = whileStarting;
    running.ingress = await openIngress(
      { port: options.edgePort, host: options.edgeHost ?? "localhost", option: options.edgeOption ?? "--edge-port" },
      {
        resolveDestination: (request) => requests.resolveDestination(request),
        onUnreachable: () => requests.onUnreachable(),
      },
    );
    await removeLeftovers(folder, journal.account(), report);
    const fleet = await startFleet(options, journal, tails, running);
    await fleet.follow(journal.account());
    const control = openAccountControl(journal, fleet, now);
    const recover = keepHealthy(options, control, fleet, running);
    void Promise.resolve(options.opened).then(
      () => {
        requests = {
          resolveDestination: destinationResolver(journal.account, fleet, random),
          onUnreachable: recover,
        };
      },
      () => {},
    );
    const api =
      options.apiPort === undefined
        ? ""
        : await serveApi(
            options.apiPort,
            { control, fleet, tails, token, onCall: options.onCall ?? (() => {}) },
            running,
          );
    return { control, fleet, tails, edge: running.ingress.url, api, token, close };
  } catch (error) {
    await close();
    throw error;
  }
};

/** In seconds: the time of a start on an idle computer. */
const startSeconds = 5;

const whileStarting: ForwardOptions = {
  resolveDestination: async () => refusal("starting", "the Workers are being started; try again", startSeconds),
  onUnreachable: () => {},
};

const shutDown = async ({ timers, server, ingress, fleet }: Running, tails: Tails): Promise<void> => {
  timers.forEach(clearInterval);
  tails.close();
  server?.close();
  server?.closeAllConnections();
  await ingress?.close();
  await fleet?.close();
};

const startFleet = async (
  { folder, isolates = 1, realism = null, log = () => {}, report = () => {}, starting = () => {} }: CloudOptions,
  journal: Journal,
  tails: Tails,
  running: Running,
): Promise<Fleet> => {
  const fleet = await openFleet({
    ...{ folder, isolates, realism, log, report, starting },
    readBlob: journal.readBlob,
    secret: randomBytes(16).toString("hex"),
    code: await bundleRouter(),
    handleCloudRequest: async (request) => {
      const worker = decodeURIComponent(new URL(request.url).pathname.split("/").at(-1) ?? "");
      tails.send(worker, (await request.json()) as TraceEvent[]);
      return new Response(null, { status: 204 });
    },
    whenIdle: async () => running.ingress?.whenIdle(),
    tailedWorkers: tails.tailedWorkers,
  });
  running.fleet = fleet;
  return fleet;
};

/**
 * Replaces machines that have ended, and restarts all as often as realism says.
 * @returns a check of the machines, now
 */
const keepHealthy = (
  { realism, report = () => {} }: CloudOptions,
  control: AccountControl,
  fleet: Fleet,
  { timers }: Running,
): (() => void) => {
  const reportError = (error: unknown) => report((error as Error).message);
  const recover = async () => {
    if (await fleet.hasFailedMachines()) await control.recover();
  };
  const check = () => void recover().catch(reportError);
  timers.push(setInterval(check, healthCheckMs));
  if (realism) timers.push(setInterval(() => void control.evict().catch(reportError), realism.evictMs));
  return check;
};

/** @returns its URL */
const serveApi = async (port: number, options: ApiOptions, running: Running): Promise<string> => {
  const server = createAdaptorServer({ fetch: createApi(options).fetch }) as http.Server;
  running.server = server;
  options.tails.attach(server);
  server.keepAliveTimeout = apiKeepAliveMs;
  await listen(server, port, "127.0.0.1", "--api-port");
  const address = server.address();
  return `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
};
