/** Runs the table through one front and its gates, on a local cloud that plays the platform's cache. */
import { afterAll, beforeAll } from "vitest";
import { table } from "../row.ts";
import { type Mesh, startMesh } from "./gateway.ts";
import { rows } from "./rows.ts";

let mesh: Mesh | undefined;

beforeAll(async () => {
  mesh = await startMesh();
});
afterAll(() => mesh?.stop());

table(rows, ({ holds }) => holds(mesh as Mesh));
