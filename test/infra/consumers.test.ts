/** What a deployment writes into the consumers' namespace, and what it deletes there, wherever it is broken off. */
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { Namespace } from "../../infra/release/consumers/kv.ts";
import { uploadConsumers } from "../../infra/release/consumers/upload.ts";

const at = (key: string) => `key/${createHash("sha256").update(key).digest("hex")}`;

/** A namespace that fails at its `dies`-th change. */
const shelf = (given: Readonly<Record<string, string>> = {}) => {
  const kept = new Map(Object.entries(given));
  let dies = Number.POSITIVE_INFINITY;
  const change = () => {
    if (--dies < 0) throw new Error("the platform does not answer");
  };
  const namespace: Namespace = {
    names: async (prefix) => [...kept.keys()].filter((name) => name.startsWith(prefix)),
    read: async (name) => kept.get(name) as string,
    put: async (entries) => {
      for (const { key, value } of entries) {
        change();
        kept.set(key, value);
      }
    },
    remove: async (names) => {
      for (const name of names) {
        change();
        kept.delete(name);
      }
    },
  };
  return {
    kept,
    upload: (keys: readonly string[], environment = "a", signed = false) =>
      uploadConsumers(
        namespace,
        keys.map((key) => ({ key: at(key), value: `{"id":"${key}","labels":{}}` })),
        { environment, signed },
      ),
    dieAt: (count: number) => {
      dies = count;
    },
  };
};

describe("a namespace of entries that are not signed", () => {
  it("loses what this environment wrote and the file has no more", async () => {
    const { kept, upload } = shelf({ [at("theirs")]: "{}" });
    await upload(["coffee", "tea"]);
    await upload(["coffee"]);
    expect([...kept.keys()].toSorted()).toEqual([at("theirs"), at("coffee"), "postern/consumers/a"].toSorted());
    await upload([]);
    expect([...kept.keys()].toSorted()).toEqual([at("theirs"), "postern/consumers/a"].toSorted());
  });

  it("keeps what another environment wrote too, until that one lets go of it", async () => {
    const { kept, upload } = shelf();
    await upload(["coffee", "milk"], "a");
    await upload(["coffee", "milk"], "b");
    await upload(["coffee"], "a");
    expect(kept.has(at("milk"))).toBe(true);
    await upload(["coffee"], "b");
    expect(kept.has(at("milk"))).toBe(false);
    expect(kept.has(at("coffee"))).toBe(true);
  });

  it("has nothing of a project that has no consumers", async () => {
    const { kept, upload } = shelf();
    await upload([]);
    expect(kept.size).toBe(0);
  });

  it("forgets nothing that it wrote, wherever a deployment is broken off", async () => {
    for (let count = 0; count < 8; count++) {
      const { kept, upload, dieAt } = shelf();
      await upload(["coffee", "tea"]);
      dieAt(count);
      await upload(["milk"]).catch(() => {});
      dieAt(Number.POSITIVE_INFINITY);
      await upload(["milk"]);
      expect([...kept.keys()].toSorted()).toEqual([at("milk"), "postern/consumers/a"].toSorted());
    }
  });

  it.each(["no JSON", '{"length":1}', JSON.stringify(["postern/consumers/b", "feed/a", "key/../x", 7, null])])(
    "believes of the record of what was written only names of entries: %s",
    async (record) => {
      const { kept, upload } = shelf({ "postern/consumers/a": record, "postern/consumers/b": "[]", "feed/a": "{}" });
      await upload(["coffee"]);
      expect([...kept.keys()].toSorted()).toEqual(
        ["feed/a", at("coffee"), "postern/consumers/a", "postern/consumers/b"].toSorted(),
      );
    },
  );
});

it("a namespace of signed entries has those of the file and no others", async () => {
  const { kept, upload } = shelf({ [at("theirs")]: "{}", "feed/a": "{}" });
  await upload(["coffee"], "a", true);
  expect([...kept.keys()].toSorted()).toEqual(["feed/a", at("coffee"), "postern/consumers/a"].toSorted());
});
