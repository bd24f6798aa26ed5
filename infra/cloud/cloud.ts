/** The local cloud, put together: the account on disk, the machines that run it, the edge ahead of them, and the API. */
import { randomBytes } from "node:crypto";
import fs from "node:fs";
import type http from "node:http";
import path from "node:path";
import { createAdaptorServer } from "@hono/node-server";
import { localToken } from "./account/access.ts";
import type { Account, Version, Worker } from "./account/account.ts";
import { api, type Call } from "./api/api.ts";
import { type Control, openControl } from "./control/control.ts";
import { type Event, openTails, type Tails } from "./control/tails.ts";
import { type Arrived, type Destination, type Door, listen, openDoor } from "./edge/door.ts";
import { type Fleet, openFleet } from "./edge/fleet.ts";
import { addressed } from "./edge/hosts.ts";
import { endOrphans } from "./edge/orphans.ts";
import { routerCode } from "./edge/router.ts";
import { choose, type Share } from "./edge/split.ts";
import type { Realism } from "./edge/table.ts";
import { openJournal } from "./storage/journal.ts";

export interface CloudOptions {
  /** Keeps the account; another process may not have it open. */
  readonly folder: string;
  /** 0 for a free one. */
  readonly edgePort: number;
  readonly edgeHost?: string;
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
    });
    running.fleet = fleet;
    await fleet.follow(journal.account());
    const control = openControl(journal, fleet, now);
    const send = async ({ host, path: target, header }: Arrived): Promise<Destination> => {
      // Behind the host, since a path may begin with two slashes.
      const { pathname } = new URL(`http://edge${target}`);
      const found = addressed(journal.account(), host, pathname);
      if (!found) return { status: 404, text: `nothing is routed at ${host}${pathname}\n` };
      const version = found.version ?? chosen(found.worker, header, random);
      if (!version) return { status: 404, text: `${found.worker.name} has no deployment\n` };
      const urls = await fleet.urlsOf(journal.account(), { worker: found.worker, version });
      const url = urls[Math.floor(random() * urls.length)];
      return url === undefined ? { status: 500, text: `${found.worker.name} threw at start\n` } : { url: new URL(url) };
    };
    const said = (error: unknown) => tell((error as Error).message);
    if (realism) running.timers.push(setInterval(() => void control.evict().catch(said), realism.evictMs));
    const mend = async () => {
      if (await fleet.ails()) await control.mend();
    };
    running.timers.push(setInterval(() => void mend().catch(said), lookMs));
    running.door = await openDoor(options.edgePort, options.edgeHost ?? "localhost", {
      send,
      missed: () => void mend().catch(said),
    });
    let apiUrl = "";
    if (options.apiPort !== undefined) {
      const app = api({ control, fleet, tails, token, called });
      const server = createAdaptorServer({ fetch: app.fetch }) as http.Server;
      running.server = server;
      tails.attach(server);
      await listen(server, options.apiPort, "127.0.0.1");
      const address = server.address();
      apiUrl = `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
    }
    return { control, fleet, tails, edge: running.door.url, api: apiUrl, token, close };
  } catch (error) {
    await close();
    throw error;
  }
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
