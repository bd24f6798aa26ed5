/** Runs the rows through one front and its gates, on a local cloud with the platform's cache. */
import { afterAll, beforeAll } from "vitest";
import { table } from "../row.ts";
import { type Gateway, startGateway } from "./gateway.ts";
import { rows } from "./rows.ts";

let gateway: Gateway | undefined;

beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway?.stop());

table(rows, ({ holds }) => holds(gateway as Gateway));
