/** The local cloud, put together: the account on disk, the machines that run it, the edge ahead of them, and the API. */
import { randomBytes } from "node:crypto";
import fs from "node:fs";
import type http from "node:http";
import path from "node:path";
import { createAdaptorServer } from "@hono/node-server";
import { localToken } from "./account/access.ts";
import type { Account, Version, Worker } from "./account/account.ts";
import { api, type Call } from "./api/api.ts";
import { type Control, openControl } from "./control/account-control.ts";
import { type Event, openTails, type Tails } from "./control/tails.ts";
import { type Arrived, type Destination, type Door, openDoor } from "./edge/ingress.ts";
import { type Fleet, openFleet } from "./edge/fleet.ts";
import { addressed } from "./edge/hosts.ts";
import { listen } from "./edge/listen.ts";
import { endOrphans } from "./edge/orphans.ts";
import { refusal } from "./edge/refusals.ts";
import { routerCode } from "./edge/router.ts";
import { choose, type Share } from "./edge/split.ts";
import type { Realism } from "./edge/routing-state.ts";
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
  readonly tell?: (line: string) => void;
  readonly called?: (call: Call) => void;
}

export interface Cloud {
  readonly control: Control;
  readonly fleet: Fleet;
  readonly tails: Tails;
  readonly edge: string;
  /** Empty where none was asked for. */
  readonly api: string;
  readonly token: string;
  readonly close: () => Promise<void>;
}

/** A machine that has ended is noticed within this time. */
const lookMs = 2000;

/** Miniflare's own, in each folder that it keeps. */
const startupLock = ".miniflare-startup.lock";

/** @throws where a port is taken, or the folder is not this cloud's */
export const startCloud = async (options: CloudOptions): Promise<Cloud> => {
  const { folder, token = localToken, now = () => new Date(), random = Math.random, realism = null } = options;
  const { log = () => {}, tell = () => {}, called = () => {} } = options;
  const journal = openJournal(folder);
  const tails = openTails(now);
  const running: { door?: Door; fleet?: Fleet; server?: http.Server; timers: NodeJS.Timeout[] } = { timers: [] };
  const end = async () => {
    running.timers.forEach(clearInterval);
    tails.close();
    running.server?.close();
    running.server?.closeAllConnections();
    await running.door?.close();
    await running.fleet?.close();
    journal.close();
  };
  let ended: Promise<void> | undefined;
  const close = () => {
    ended ??= end();
    return ended;
  };
  try {
    // Ahead of all that takes time, so that whoever calls early is told to try again.
    let requests: Requests = starts;
    running.door = await openDoor(
      { port: options.edgePort, host: options.edgeHost ?? "localhost", option: options.edgeOption ?? "--edge-port" },
      { send: (arrived) => requests.send(arrived), missed: () => requests.missed() },
    );
    const orphans = await endOrphans(folder);
    if (orphans > 0) tell(`${orphans} machines of a cloud that was killed have been ended`);
    // What processes of before left there leads nowhere, and Miniflare would wait half a minute for each lock.
    for (const left of ["registry", `shared/${startupLock}`, `objects/${startupLock}`])
      fs.rmSync(path.join(folder, left), { recursive: true, force: true });
    removeForgottenObjects(path.join(folder, "objects/do"), journal.account());
    const fleet = await openFleet({
      folder,
      read: journal.read,
      secret: randomBytes(16).toString("hex"),
      code: await routerCode(),
      isolates: options.isolates ?? 1,
      realism,
      log,
      tell,
      cloud: async (request) => {
        const worker = decodeURIComponent(new URL(request.url).pathname.split("/").at(-1) ?? "");
        tails.tell(worker, (await request.json()) as Event[]);
        return new Response(null, { status: 204 });
      },
      settled: async () => running.door?.settled(),
      tailed: tails.tailed,
      starting: options.starting ?? (() => {}),
    });
    running.fleet = fleet;
    await fleet.follow(journal.account());
    const control = openControl(journal, fleet, now);
    const send = async ({ host, path: target, header }: Arrived): Promise<Destination> => {
      // Behind the host, since a path may begin with two slashes.
      const { pathname } = new URL(`http://edge${target}`);
      const found = addressed(journal.account(), host, pathname);
      if (!found) return refusal("address-unrouted", `nothing is routed at ${host}${pathname}`);
      const version = found.version ?? chosen(found.worker, header, random);
      if (!version) return refusal("not-deployed", `${found.worker.name} has no deployment`);
      const urls = await fleet.urlsOf(journal.account(), { worker: found.worker, version });
      const url = urls[Math.floor(random() * urls.length)];
      return url === undefined
        ? refusal("worker-broken", `${found.worker.name} threw at start`)
        : { url: new URL(url) };
    };
    const said = (error: unknown) => tell((error as Error).message);
    if (realism) running.timers.push(setInterval(() => void control.evict().catch(said), realism.evictMs));
    const mend = async () => {
      if (await fleet.ails()) await control.mend();
    };
    running.timers.push(setInterval(() => void mend().catch(said), lookMs));
    void Promise.resolve(options.opened).then(
      () => {
        requests = { send, missed: () => void mend().catch(said) };
      },
      () => {},
    );
    let apiUrl = "";
    if (options.apiPort !== undefined) {
      const app = api({ control, fleet, tails, token, called });
      const server = createAdaptorServer({ fetch: app.fetch }) as http.Server;
      running.server = server;
      tails.attach(server);
      await listen(server, options.apiPort, "127.0.0.1", "--api-port");
      const address = server.address();
      apiUrl = `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
    }
    return { control, fleet, tails, edge: running.door.url, api: apiUrl, token, close };
  } catch (error) {
    await close();
    throw error;
  }
};

type Requests = Parameters<typeof openDoor>[1];

/** In seconds: what a start takes on a machine with nothing else to do. */
const startSeconds = 5;

const starts: Requests = {
  send: async () => refusal("starting", "the Workers are being started; try again", startSeconds),
  missed: () => {},
};

/** Storage of classes that were deleted, or whose Worker was. */
const removeForgottenObjects = (folder: string, { workers }: Account): void => {
  const kept = new Set([...workers.values()].flatMap(({ classes }) => classes.map(({ id }) => id)));
  for (const id of fs.existsSync(folder) ? fs.readdirSync(folder) : [])
    if (!kept.has(id)) fs.rmSync(path.join(folder, id), { recursive: true });
};

const chosen = (worker: Worker, get: Arrived["header"], random: () => number): Version | undefined => {
  const shares = (worker.deployments[0]?.versions ?? []).flatMap(({ version_id: id, percentage }): Share[] => {
    const number = worker.versions.find((it) => it.id === id)?.number;
    return number === undefined ? [] : [{ id, number, percentage }];
  });
  const choice = choose(worker.name, shares, { get }, random);
  return worker.versions.find(({ id }) => id === choice?.id);
};
