/** Runs the rows of the local cloud: one cloud for all, a Worker for each. */
import { afterAll, beforeAll, expect } from "vitest";
import { callApi } from "../../cloud/api-client.ts";
import { type LocalCloud, openLocalCloud } from "../../cloud/local-cloud.ts";
import { onSubdomain, publication } from "../../cloud/uploads.ts";
import { table } from "../row.ts";
import { code, rows } from "./rows.ts";

let local: LocalCloud;
const nameOf = (index: number) => `row-${index}-worker`;

beforeAll(async () => {
  local = await openLocalCloud();
  const bindings = [
    { type: "plain_text", name: "GREETING", text: "hello" },
    { type: "secret_text", name: "KEY", text: "key" },
  ];
  const metadata = { bindings, compatibility_date: "2026-10-01" };
  await local.cloud.control.publish(rows.map((_, index) => publication(nameOf(index), code("first"), metadata)));
  for (const index of rows.keys()) await local.cloud.control.changeSettings(nameOf(index), onSubdomain);
});
afterAll(() => local.close());

table(rows, async (row) => {
  const worker = nameOf(rows.indexOf(row));
  const seen = await row.sees({
    local,
    worker,
    ask: (request) => callApi(local.cloud, request),
    answer: async () => (await local.get(`${worker}.local.workers.dev`)).text,
  });
  expect(seen).toEqual(row.right);
});
