/** The native scripts against the library's own Lua, run by an interpreter that we did not write. */
import { Ratelimit } from "@upstash/ratelimit/dist/index.mjs";
import fc from "fast-check";
import { lauxlib, lua, lualib, to_luastring } from "fengari";
import { describe, expect, it } from "vitest";
import { type Cell, runScript } from "../../functions/gateway/limits/algorithms.ts";

interface Text {
  readonly sha: string;
  readonly script: string;
}

/** The library sends a script's hash, and its text where the hash is not known. */
const textOf = async (algorithm: ReturnType<typeof Ratelimit.fixedWindow>): Promise<Text> => {
  let sha = "";
  let script = "";
  const redis = {
    evalsha: async (hash: string) => {
      sha = hash;
      throw new Error("NOSCRIPT");
    },
    eval: async (text: string) => {
      script = text;
      return [0, 0, 0];
    },
  };
  await new Ratelimit({ redis: redis as never, limiter: algorithm, timeout: 0, ephemeralCache: false }).limit("x");
  return { sha, script };
};

type Reply = string | number | null | Reply[];

/** As much of Redis as the scripts call, over one map; the clock is the test's. */
const redis = () => {
  const all = new Map<string, { text?: string; fields?: Map<string, string>; ends: number | null }>();
  let now = 0;
  const live = (key: string) => {
    const it = all.get(key);
    if (it?.ends != null && it.ends <= now) all.delete(key);
    return all.get(key);
  };
  const commands: Record<string, (key: string, ...args: string[]) => Reply> = {
    GET: (key) => live(key)?.text ?? null,
    INCRBY: (key, by = "0") => {
      const it = live(key) ?? { ends: null };
      all.set(key, { ...it, text: String(Number(("text" in it && it.text) || 0) + Number(by)) });
      return Number(all.get(key)?.text);
    },
    PEXPIRE: (key, ms = "0") => {
      const it = live(key);
      if (it) it.ends = now + Number(ms);
      return it ? 1 : 0;
    },
    HMGET: (key, ...fields) => fields.map((field) => live(key)?.fields?.get(field) ?? null),
    HSET: (key, ...pairs) => {
      const it = live(key) ?? { ends: null, fields: new Map<string, string>() };
      all.set(key, it);
      for (let index = 0; index < pairs.length; index += 2) it.fields?.set(pairs[index] ?? "", pairs[index + 1] ?? "");
      return pairs.length / 2;
    },
  };
  return {
    at: (time: number) => {
      now = time;
    },
    call: ([name = "", key = "", ...args]: string[]) => commands[name.toUpperCase()]?.(key, ...args) ?? null,
  };
};

/** Lua with `redis.call`, as Redis gives it to scripts. */
const interpreter = (script: string) => {
  const store = redis();
  const state = lauxlib.luaL_newstate();
  lualib.luaL_openlibs(state);
  const push = (value: Reply): void => {
    if (value === null) lua.lua_pushboolean(state, 0);
    else if (typeof value === "number") lua.lua_pushinteger(state, value);
    else if (typeof value === "string") lua.lua_pushstring(state, to_luastring(value));
    else {
      lua.lua_createtable(state, value.length, 0);
      for (const [index, item] of value.entries()) {
        push(item);
        lua.lua_rawseti(state, -2, index + 1);
      }
    }
  };
  lua.lua_createtable(state, 0, 1);
  lua.lua_pushcfunction(state, () => {
    const args = Array.from(
      { length: lua.lua_gettop(state) },
      (_, index) => lua.lua_tojsstring(state, index + 1) as string,
    );
    push(store.call(args));
    return 1;
  });
  lua.lua_setfield(state, -2, to_luastring("call"));
  lua.lua_setglobal(state, to_luastring("redis"));
  if (lauxlib.luaL_loadstring(state, to_luastring(script.replace(/^#![^\n]*/, ""))))
    throw new Error(lua.lua_tojsstring(state, -1));
  const compiled = lauxlib.luaL_ref(state, lua.LUA_REGISTRYINDEX);
  return (keys: readonly string[], args: readonly number[], now: number): number[] => {
    store.at(now);
    for (const [name, values] of [
      ["KEYS", keys],
      ["ARGV", args.map(String)],
    ] as const) {
      push([...values]);
      lua.lua_setglobal(state, to_luastring(name));
    }
    lua.lua_rawgeti(state, lua.LUA_REGISTRYINDEX, compiled);
    if (lua.lua_pcall(state, 0, 1, 0)) throw new Error(lua.lua_tojsstring(state, -1));
    const reply = Array.from({ length: lua.lua_rawlen(state, -1) }, (_, index) => {
      lua.lua_rawgeti(state, -1, index + 1);
      const value = Math.trunc(lua.lua_tonumber(state, -1));
      lua.lua_pop(state, 1);
      return value;
    });
    lua.lua_settop(state, 0);
    return reply;
  };
};

const native = (sha: string) => {
  const all = new Map<string, Cell>();
  return (keys: readonly string[], args: readonly number[], now: number) => {
    const cells = {
      get: (key: string) => {
        const cell = all.get(key);
        return cell && (cell.ends === null || cell.ends > now) ? cell : undefined;
      },
      put: (key: string, cell: Cell) => void all.set(key, cell),
    };
    return runScript(cells, { sha, keys, args }, now);
  };
};

const start = Date.UTC(2026, 10, 1);
const window = 1000;
const limit = 10;

const calls: Readonly<Record<string, (now: number, weight: number) => readonly [string[], number[]]>> = {
  "fixed window": (now, weight) => [[`k:${Math.floor(now / window)}`], [limit, window, weight]],
  "sliding window": (now, weight) => {
    const bucket = Math.floor(now / window);
    return [
      [`k:${bucket}`, `k:${bucket - 1}`],
      [limit, now, window, weight],
    ];
  },
  "token bucket": (now, weight) => [["k"], [limit, window, 3, now, weight]],
};
const algorithms = {
  "fixed window": Ratelimit.fixedWindow(limit, "1 s"),
  "sliding window": Ratelimit.slidingWindow(limit, "1 s"),
  "token bucket": Ratelimit.tokenBucket(3, "1 s", limit),
};

const steps = fc.array(
  fc.record({
    after: fc.constantFrom(0, 0, 1, 13, 250, 499, 999, 1000, 1001, 2500, 12_345),
    weight: fc.constantFrom(1, 1, 1, 2, 5, 9, -1, -3),
  }),
  { minLength: 1, maxLength: 80 },
);

describe.each(Object.entries(algorithms))("%s", async (name, algorithm) => {
  const { sha, script } = await textOf(algorithm);

  it("is known by the hash that this version of the library calls it by", () => {
    expect(script).toContain("redis.call");
    expect(
      runScript({ get: () => undefined, put: () => {} }, { sha, keys: ["a", "b"], args: [1, 1, 1, 1, 1] }, 0),
    ).toBeDefined();
  });

  it("answers as the library's own Lua does, over any course of requests and refunds", () => {
    fc.assert(
      fc.property(steps, (course) => {
        const [theirs, ours] = [interpreter(script), native(sha)];
        let now = start;
        for (const { after, weight } of course) {
          now += after;
          const [keys, args] = calls[name]?.(now, weight) ?? [[], []];
          expect(ours(keys, args, now)).toEqual(theirs(keys, args, now));
        }
      }),
      { numRuns: Number(process.env.POSTERN_RUNS ?? 150), seed: 3 },
    );
  });
});
