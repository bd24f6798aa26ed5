/**
 * The router in every machine. Every call by a binding goes through it: it chooses the version of the target as the edge
 * would, and forwards the call, `fetch` or a method (RPC), to the machine where that version runs.
 */
import { DurableObject, WorkerEntrypoint } from "cloudflare:workers";
import type { Realism, RoutingState, ServiceProps, TailProps, VersionLocation } from "../machine/routing-state.ts";
import { chooseVersion } from "../machine/split.ts";
import { kvCache } from "./kv-cache.ts";
import { staticCache } from "./static-cache.ts";

/** workerd's debug port, by which processes call each other. */
interface DebugPort {
  current(): Machine;
  connect(address: string): Machine;
}
interface Machine {
  getEntrypoint(service: string, entrypoint?: string, props?: unknown): Fetcher;
  getActor(service: string, className: string, id: string): Fetcher;
}

interface Env {
  readonly DEBUG: DebugPort;
  /** The process of the local cloud. */
  readonly CLOUD: Fetcher;
  readonly MACHINE: string;
  readonly SECRET: string;
  readonly REALISM: Realism | null;
  /** The runtime's KV service, and the property of its props that names a namespace. */
  readonly KV: { readonly service: string; readonly property: string };
  /** The address of the storage machine. Null in that machine itself. */
  readonly STORES: string | null;
}

/** The last routing state. A machine has one before any of its versions is reached. */
let state: RoutingState = { number: 0, live: {}, locations: {}, objectOwners: {}, moving: [], tailedWorkers: [] };
/** Calls to objects in flight, by Worker. An owner is replaced between calls. */
const callsInFlight = new Map<string, number>();
/** A call to an object waits for its owner at most so long. */
const maxWaitMs = 30_000;
/** In this runtime a promise that another request settles wakes nobody, so waiting calls poll. */
const pollMs = 5;

const machineOf = (env: Env, { address, machine }: VersionLocation): Machine =>
  machine === env.MACHINE ? env.DEBUG.current() : env.DEBUG.connect(address);

const pickOne = (services: readonly string[]): string =>
  services[Math.floor(Math.random() * services.length)] as string;

const noHeaders = { get: () => null };

/** Handlers that the runtime calls. They are no methods of the target. */
const reserved = new Set<PropertyKey>(["alarm", "connect", "self", "tail", "tailStream", "test", "trace"]);

/** Reads properties that the entrypoint lacks from the target. */
const forwardProperties = <T extends { target(): Fetcher }>(entrypoint: T): T =>
  new Proxy(entrypoint, {
    get: (own, property) => {
      if (Reflect.has(own, property)) return Reflect.get(own, property);
      return reserved.has(property) ? undefined : Reflect.get(own.target(), property);
    },
  });

/** Target of every service binding. */
export class Service extends WorkerEntrypoint<Env, ServiceProps> {
  constructor(context: ExecutionContext<ServiceProps>, env: Env) {
    super(context, env);
    // biome-ignore lint/correctness/noConstructorReturn: a method of the target is looked up by its name
    return forwardProperties(this);
  }
  target(headers: { readonly get: (name: string) => string | null } = noHeaders): Fetcher {
    const { worker, entrypoint, props } = this.ctx.props;
    const choice = chooseVersion(worker, state.live[worker] ?? [], headers, Math.random);
    const location = choice && state.locations[choice.id];
    if (!location) throw new Error(`Worker "${worker}" is not deployed`);
    return machineOf(this.env, location).getEntrypoint(pickOne(location.services), entrypoint, props);
  }
  override fetch(request: Request): Promise<Response> {
    return this.target(request.headers).fetch(request);
  }
}

/** Counts a call to a Worker's objects as in flight until the returned function is called. */
const beginCall = (worker: string): (() => void) => {
  callsInFlight.set(worker, (callsInFlight.get(worker) ?? 0) + 1);
  let open = true;
  return () => {
    if (open) callsInFlight.set(worker, (callsInFlight.get(worker) ?? 1) - 1);
    open = false;
  };
};

/** Target of a binding to a class of Durable Objects: in each machine, one stands for each object. */
export const objects = (
  worker: string,
  className: string,
): (new (
  state: DurableObjectState,
  env: Env,
) => DurableObject<Env>) =>
  class extends DurableObject<Env> {
    constructor(state: DurableObjectState, env: Env) {
      super(state, env);
      // biome-ignore lint/correctness/noConstructorReturn: a method of the object is looked up by its name
      return new Proxy(this, {
        get: (own, property) => {
          if (Reflect.has(own, property)) return Reflect.get(own, property);
          if (reserved.has(property) || typeof property !== "string") return undefined;
          return (...args: unknown[]) => own.call(property, args);
        },
      });
    }
    async call(method: string, args: readonly unknown[]): Promise<unknown> {
      const end = await this.beginCall();
      try {
        const object = this.target() as unknown as Record<string, (...args: unknown[]) => unknown>;
        return await object[method]?.(...args);
      } finally {
        end();
      }
    }
    override async fetch(request: Request): Promise<Response> {
      const end = await this.beginCall();
      try {
        const response = await this.target().fetch(request);
        if (response.webSocket || !response.body) {
          end();
          return response;
        }
        const { readable, writable } = new IdentityTransformStream();
        void response.body.pipeTo(writable).then(end, end);
        return new Response(readable, response);
      } catch (error) {
        end();
        throw error;
      }
    }
    /** Waits while the owner changes, and counts the call, so that the owner does not change during it. */
    async beginCall(): Promise<() => void> {
      const until = Date.now() + maxWaitMs;
      while (state.moving.includes(worker) && Date.now() < until) await scheduler.wait(pollMs);
      const end = beginCall(worker);
      if (this.env.REALISM) await scheduler.wait(this.env.REALISM.objectMs);
      return end;
    }
    target(): Fetcher {
      const owner = state.objectOwners[worker];
      if (!owner) throw new Error(`Worker "${worker}" has no objects here`);
      return machineOf(this.env, owner).getActor(owner.services[0] as string, className, this.ctx.id.toString());
    }
  };

/** Receives a trace of each request of a version. */
export class Tail extends WorkerEntrypoint<Env, TailProps> {
  override async tail(events: TraceItem[]): Promise<void> {
    const { worker, version, consumers } = this.ctx.props;
    const traceEvents = events.map((it) => ({ ...cloneable(it), scriptName: worker, scriptVersion: { id: version } }));
    if (state.tailedWorkers.includes(worker))
      await this.env.CLOUD.fetch(`http://cloud/tail/${worker}`, { method: "POST", body: JSON.stringify(traceEvents) });
    for (const consumer of consumers) {
      const [share] = state.live[consumer] ?? [];
      const location = share && state.locations[share.id];
      if (!location) continue;
      const target = machineOf(this.env, location).getEntrypoint(pickOne(location.services)) as unknown as {
        tail(events: unknown[]): Promise<void>;
      };
      await target.tail(traceEvents);
    }
  }
}

/** A copy that can be serialised. */
const cloneable = (event: TraceItem): Record<string, unknown> =>
  JSON.parse(JSON.stringify(event)) as Record<string, unknown>;

const cachedRead = kvCache(Date.now);

/** Target of a KV binding where realism is on. */
export class Kv extends WorkerEntrypoint<Env, { readonly namespace: string }> {
  override async fetch(request: Request): Promise<Response> {
    const store = kvNamespace(this.env, this.ctx.props.namespace);
    if (request.method !== "GET" || !this.env.REALISM) return store.fetch(request);
    const key = `${this.ctx.props.namespace} ${request.url}`;
    return cachedRead(key, this.env.REALISM.kvMs, () => store.fetch(request));
  }
}

const kvNamespace = ({ DEBUG, STORES, KV }: Env, namespace: string): Fetcher =>
  (STORES === null ? DEBUG.current() : DEBUG.connect(STORES)).getEntrypoint(KV.service, undefined, {
    [KV.property]: namespace,
  });

/** Each machine has a cache of its own. */
const cachedFetch = staticCache((request) => fetch(request), Date.now);

/**
 * Egress as in production: an IP address instead of a name is refused (1003), and the cache answers for static files.
 */
export class Internet extends WorkerEntrypoint<Env> {
  override fetch(request: Request): Promise<Response> {
    const { hostname } = new URL(request.url);
    if (/^(?:[\d.]+|\[.*\])$/.test(hostname))
      throw new Error(`error code: 1003: fetch takes no IP address (${hostname}); give the host a name`);
    return cachedFetch(request);
  }
}

/** Calls of the local cloud. The secret keeps out whoever finds the port. */
export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    if (request.headers.get("authorization") !== env.SECRET) return new Response(null, { status: 403 });
    const { pathname, search } = new URL(request.url);
    const [, namespace, rest] = /^\/kv\/([0-9a-f]+)(\/.*)$/.exec(pathname) ?? [];
    if (namespace !== undefined)
      return kvNamespace(env, namespace).fetch(new Request(`http://kv${rest}${search}`, request));
    if (pathname === "/table") {
      const newState = await request.json<RoutingState>();
      if (newState.number > state.number) state = newState;
      return new Response("updated");
    }
    const worker = decodeURIComponent(pathname.slice("/quiet/".length));
    // A call that lasts longer is reset, as in production.
    for (let tries = 0; tries < 500 && (callsInFlight.get(worker) ?? 0) > 0; tries++) await scheduler.wait(10);
    return Response.json({ left: callsInFlight.get(worker) ?? 0 });
  },
} satisfies ExportedHandler<Env>;
