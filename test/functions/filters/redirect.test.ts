import { expect, it } from "vitest";
import { make, spec } from "../../../functions/filters/redirect.ts";
import { conversation } from "../conversation.ts";

const gate = (written: object) =>
  conversation(
    { redirect: () => make(spec().schema.parse(written)) },
    { routes: { all: { match: "ANY /{id}/{rest*}", filters: ["redirect"] } } },
  );

it.each<[object, string, number, string | undefined]>([
  [{ to: "/v2/{path.id}" }, "/7/x?a=1", 308, "/v2/7?a=1"],
  [{ to: "https://new.example/{path.id}", status: 302, query: "drop" }, "/7/x?a=1", 302, "https://new.example/7"],
  [{ https: true }, "http://gate.example:8080/7/x?a=1", 308, "https://gate.example/7/x?a=1"],
  [{ https: true }, "https://gate.example/7/x", 200, undefined],
  // A captured text never becomes a host.
  [{ to: "/{path.id}" }, "/%5cevil.example/x", 400, undefined],
  [{ to: "/{path.rest}" }, "/a//evil.example", 400, undefined],
])("%j: %s → %i %s", async (written, target, status, location) => {
  const heard = await gate(written).send(`GET ${target}`);
  expect([heard.status, heard.headers.location]).toEqual([status, location]);
  if (status === 308) expect(heard.line).toMatchObject({ verdict: "answered", by: "redirect" });
});

it.each([
  {},
  { to: "/a", https: true },
  { https: false },
  { to: "//evil.example" },
  { to: "https://{header.host}/" },
  { to: "/a", status: 200 },
])("refuses %j in a manifest", (value) => {
  expect(spec().schema.safeParse(value).success).toBe(false);
});
