/** Tests without wrangler's process deploy what wrangler deploys, and the dev loop publishes the same. */
import { createHash } from "node:crypto";
import { expect, it } from "vitest";
import { compile } from "../../infra/compiler/compile.ts";
import { emit } from "../../infra/compiler/emit/emit.ts";
import { publicationOf } from "../../infra/release/publication.ts";
import { type Target, targetOf } from "../../infra/release/target.ts";
import { accountOf } from "./account-of.ts";
import { deployHarness, tier } from "./deploy-harness.ts";
import { direct } from "./direct.ts";

const url = "http://localhost:9";
const key = createHash("sha256").update("coffee").digest("hex");
const counted = "filters: [{ rate-limit: { limit: 9/m, by: ip, count: exact } }, { api-key: { header: x-key } }]\n";

/** A first deployment, and a version beside it. */
const course = async (targetAt: (api: string) => Target) => {
  const { cloud, root, edit, ...postern } = await deployHarness(
    {
      "routes/environments/test.yaml": 'kv: { consumers: "00000000000000000000000000000007" }\n',
      "routes/consumers.yaml": `consumers: { shop: { keys: ["sha256:${key}"] } }\n`,
      "routes/a.yaml": tier("a", url, "first", counted),
    },
    targetAt,
  );
  const done = [(await postern.deploy()).done];
  edit("routes/a.yaml", tier("a", url, "second", counted));
  done.push((await postern.deploy(["a"], "25")).done);
  return { cloud, root, done, account: accountOf(cloud) };
};

it("an account is the same after the same course by wrangler and without it", async () => {
  const byWrangler = await course(targetOf);
  const without = await course(direct);
  expect(without.done).toEqual(byWrangler.done);
  expect(without.account).toEqual(byWrangler.account);
  expect(byWrangler.account.map(({ name }) => name)).toEqual([
    "gate-a-test",
    "postern-front-test",
    "state-shared-test",
  ]);

  const { cloud, root } = byWrangler;
  for (const it of await emit(root, compile(root, "test"))) {
    const { upload } = publicationOf(it, { secrets: {}, exists: () => true });
    const version = cloud.control.worker(it.worker).versions.at(-1);
    const byName = (all: readonly unknown[]) =>
      (all as readonly { readonly name: string }[]).toSorted((a, b) => a.name.localeCompare(b.name));
    expect(byName(version?.bindings ?? [])).toEqual(byName(upload.metadata.bindings));
    expect(version).toMatchObject({
      mainModule: upload.metadata.main_module,
      compatibilityDate: upload.metadata.compatibility_date,
      compatibilityFlags: upload.metadata.compatibility_flags,
      annotations: upload.metadata.annotations,
      limits: {},
    });
    expect(byName(version?.modules ?? []).map(({ name }) => name)).toEqual(
      byName(upload.modules).map(({ name }) => name),
    );
  }
});
