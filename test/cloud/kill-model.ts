/** Commands for a cloud that is killed, and the account that they must leave. */
import type { Publication } from "../../infra/cloud/account/publish.ts";
import { publication } from "./uploads.ts";

export { onSubdomain } from "./uploads.ts";

export type Command =
  | { readonly do: "upload"; readonly workers: readonly string[]; readonly code: string }
  | { readonly do: "enable"; readonly worker: string }
  | { readonly do: "split"; readonly worker: string; readonly shares: readonly (readonly [number, number])[] }
  | { readonly do: "secret"; readonly worker: string; readonly value: string; readonly deploy: boolean };

export interface Version {
  readonly number: number;
  readonly code: string;
  readonly secret: string;
}

export interface Worker {
  readonly versions: readonly Version[];
  /** Number and percentage. */
  readonly live: readonly (readonly [number, number])[];
  readonly enabled: boolean;
}

export type Workers = Readonly<Record<string, Worker>>;

/** What a cloud says that begins. */
export interface FoundState {
  readonly edge: string;
  readonly workers: Workers;
  /** Ids of versions, by Worker and number. */
  readonly ids: Readonly<Record<string, Readonly<Record<number, string>>>>;
}

export const names = ["first", "second"] as const;

/** Both keep KV values and object rows; the second one calls the first by a binding. */
export const upload = (name: string, code: string, fresh: boolean): Publication =>
  publication(
    name,
    `import { DurableObject } from "cloudflare:workers";
export class Rows extends DurableObject {
  constructor(state, env) {
    super(state, env);
    state.storage.sql.exec("create table if not exists rows (id integer primary key)");
  }
  add(id) {
    this.ctx.storage.sql.exec("insert into rows (id) values (?)", id);
  }
  all() {
    return [...this.ctx.storage.sql.exec("select id from rows order by id")].map(({ id }) => id);
  }
}
export default {
  async fetch(request, env) {
    const { pathname, searchParams } = new URL(request.url);
    const object = env.ROWS.get(env.ROWS.idFromName("one"));
    const id = Number(searchParams.get("id"));
    if (pathname === "/add") await object.add(id);
    if (pathname === "/rows") return Response.json(await object.all());
    if (pathname === "/put") await env.KV.put("key-" + (id % 7), String(id));
    if (pathname === "/values")
      return Response.json(await Promise.all([0, 1, 2, 3, 4, 5, 6].map((key) => env.KV.get("key-" + key))));
    return new Response(${JSON.stringify(code)} + " " + (env.SECRET ?? ""));
  },
};`,
    {
      annotations: { "workers/tag": code },
      keep_bindings: ["secret_text"],
      bindings: [
        { name: "KV", type: "kv_namespace", namespace_id: "ab" },
        { name: "ROWS", type: "durable_object_namespace", class_name: "Rows" },
      ],
      ...(fresh && { migrations: { new_tag: "v1", new_sqlite_classes: ["Rows"] } }),
    },
  );

/** The account after a command, as anybody would expect it. */
export const applyCommand = (workers: Workers, command: Command): Workers => {
  if (command.do === "upload")
    return command.workers.reduce((all, name) => withUpload(all, name, command.code), workers);
  const worker = workers[command.worker];
  if (!worker) throw new Error(`no Worker ${command.worker}`);
  const put = (change: Partial<Worker>) => ({ ...workers, [command.worker]: { ...worker, ...change } });
  if (command.do === "enable") return put({ enabled: true });
  if (command.do === "split") return put({ live: command.shares });
  const latest = worker.versions.at(-1) as Version;
  const version = { ...latest, number: latest.number + 1, secret: command.value };
  return put({
    versions: [...worker.versions, version],
    ...(command.deploy && { live: [[version.number, 100] as const] }),
  });
};

const withUpload = (workers: Workers, name: string, code: string): Workers => {
  const { versions, enabled } = workers[name] ?? { versions: [], enabled: false };
  const { number, secret } = versions.at(-1) ?? { number: 0, secret: "" };
  const version = { number: number + 1, code, secret };
  return { ...workers, [name]: { versions: [...versions, version], live: [[version.number, 100]], enabled } };
};

/** Where an account keeps so many versions, the oldest go; what is compared is the newest ones. */
export const comparable = (workers: Workers): Workers =>
  Object.fromEntries(Object.entries(workers).map(([name, it]) => [name, { ...it, versions: it.versions.slice(-20) }]));

/** mulberry32: the same numbers for the same seed. */
export const seededRandom = (seed: number) => {
  let state = seed;
  return (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
};

/** Something that can be done to an account that looks like this. */
export const nextCommand = (workers: Workers, random: () => number, round: string): Command => {
  const name = names[Math.floor(random() * names.length)] ?? "first";
  const worker = workers[name];
  if (!worker) return { do: "upload", workers: [name], code: `code-${round}` };
  if (!worker.enabled) return { do: "enable", worker: name };
  const kind = random();
  if (kind < 0.2) return { do: "upload", workers: [name], code: `code-${round}` };
  // Both at once: a kill must not leave one of them.
  if (kind < 0.45) return { do: "upload", workers: names, code: `code-${round}` };
  const latest = worker.versions.at(-1)?.number ?? 1;
  if (kind < 0.7) {
    const deploy = worker.live.length === 1 && worker.live[0]?.[0] === latest;
    return { do: "secret", worker: name, value: `secret-${round}`, deploy };
  }
  const older = Math.max(1, latest - 1 - Math.floor(random() * 3));
  if (older === latest || random() < 0.3) return { do: "split", worker: name, shares: [[older, 100]] };
  const percentage = Math.floor(random() * 101);
  return {
    do: "split",
    worker: name,
    shares: [
      [latest, percentage],
      [older, 100 - percentage],
    ],
  };
};
