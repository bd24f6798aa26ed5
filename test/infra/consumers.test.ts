/** What a deployment writes into the consumers' namespace, and what it deletes there, wherever it is broken off. */
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { KvNamespace } from "../../infra/release/consumers/kv.ts";
import { uploadConsumers } from "../../infra/release/consumers/upload.ts";

const at = (key: string) => `key/${createHash("sha256").update(key).digest("hex")}`;

/** A namespace that fails at its `dies`-th change. */
const fakeNamespace = (initial: Readonly<Record<string, string>> = {}) => {
  const stored = new Map(Object.entries(initial));
  let failsAt = Number.POSITIVE_INFINITY;
  const change = () => {
    if (--failsAt < 0) throw new Error("the platform does not answer");
  };
  const namespace: KvNamespace = {
    names: async (prefix) => [...stored.keys()].filter((name) => name.startsWith(prefix)),
    read: async (name) => stored.get(name) as string,
    put: async (entries) => {
      for (const { key, value } of entries) {
        change();
        stored.set(key, value);
      }
    },
    remove: async (names) => {
      for (const name of names) {
        change();
        stored.delete(name);
      }
    },
  };
  return {
    kept: stored,
    upload: (keys: readonly string[], environment = "a", signed = false) =>
      uploadConsumers(
        namespace,
        keys.map((key) => ({ key: at(key), value: `{"id":"${key}","labels":{}}` })),
        { environment, signed },
      ),
    dieAt: (count: number) => {
      failsAt = count;
    },
  };
};

describe("a namespace of entries that are not signed", () => {
  it("loses what this environment wrote and the file has no more", async () => {
    const { kept: stored, upload } = fakeNamespace({ [at("theirs")]: "{}" });
    await upload(["coffee", "tea"]);
    await upload(["coffee"]);
    expect([...stored.keys()].toSorted()).toEqual([at("theirs"), at("coffee"), "postern/consumers/a"].toSorted());
    await upload([]);
    expect([...stored.keys()].toSorted()).toEqual([at("theirs"), "postern/consumers/a"].toSorted());
  });

  it("keeps what another environment wrote too, until that one lets go of it", async () => {
    const { kept: stored, upload } = fakeNamespace();
    await upload(["coffee", "milk"], "a");
    await upload(["coffee", "milk"], "b");
    await upload(["coffee"], "a");
    expect(stored.has(at("milk"))).toBe(true);
    await upload(["coffee"], "b");
    expect(stored.has(at("milk"))).toBe(false);
    expect(stored.has(at("coffee"))).toBe(true);
  });

  it("has nothing of a project that has no consumers", async () => {
    const { kept: stored, upload } = fakeNamespace();
    await upload([]);
    expect(stored.size).toBe(0);
  });

  it("forgets nothing that it wrote, wherever a deployment is broken off", async () => {
    for (let count = 0; count < 8; count++) {
      const { kept: stored, upload, dieAt } = fakeNamespace();
      await upload(["coffee", "tea"]);
      dieAt(count);
      await upload(["milk"]).catch(() => {});
      dieAt(Number.POSITIVE_INFINITY);
      await upload(["milk"]);
      expect([...stored.keys()].toSorted()).toEqual([at("milk"), "postern/consumers/a"].toSorted());
    }
  });

  it.each(["no JSON", '{"length":1}', JSON.stringify(["postern/consumers/b", "feed/a", "key/../x", 7, null])])(
    "believes of the record of what was written only names of entries: %s",
    async (record) => {
      const { kept: stored, upload } = fakeNamespace({
        "postern/consumers/a": record,
        "postern/consumers/b": "[]",
        "feed/a": "{}",
      });
      await upload(["coffee"]);
      expect([...stored.keys()].toSorted()).toEqual(
        ["feed/a", at("coffee"), "postern/consumers/a", "postern/consumers/b"].toSorted(),
      );
    },
  );
});

it("a namespace of signed entries has those of the file and no others", async () => {
  const { kept: stored, upload } = fakeNamespace({ [at("theirs")]: "{}", "feed/a": "{}" });
  await upload(["coffee"], "a", true);
  expect([...stored.keys()].toSorted()).toEqual(["feed/a", at("coffee"), "postern/consumers/a"].toSorted());
});
