/** The filter `redirect`: targets, and what a client cannot change. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { make, spec } from "../../../functions/filters/redirect.ts";
import { gateHarness } from "../gate-harness.ts";

const gate = (config: object) =>
  gateHarness(
    { redirect: () => make(spec().schema.parse(config)) },
    { routes: { all: { match: "ANY /{id}/{rest*}", filters: ["redirect"] } } },
  );

it.each<[object, string, number, string | undefined]>([
  [{ to: "/v2/{path.id}" }, "/7/x?a=1", 308, "/v2/7?a=1"],
  [{ to: "https://new.example/{path.id}", status: 302, query: "drop" }, "/7/x?a=1", 302, "https://new.example/7"],
  [{ https: true }, "http://gate.example:8080/7/x?a=1", 308, "https://gate.example/7/x?a=1"],
  [{ https: true }, "https://gate.example/7/x", 200, undefined],
  [{ host: "new.example", status: 302 }, "https://gate.example:8443/7/x?a=1", 302, "https://new.example:8443/7/x?a=1"],
  [{ scheme: "https" }, "http://gate.example:8080/7/x", 308, "https://gate.example/7/x"],
  [{ scheme: "https", port: 443 }, "http://gate.example:8080/7/x", 308, "https://gate.example/7/x"],
  [{ port: 80 }, "http://gate.example:8080/7/x", 308, "http://gate.example/7/x"],
  [{ port: 8443 }, "https://gate.example/7/x", 308, "https://gate.example:8443/7/x"],
  [{ host: "new.example" }, "https://gate.example/7/x", 308, "https://new.example/7/x"],
  [{ host: "new.example", port: 443 }, "https://gate.example/7/x", 308, "https://new.example/7/x"],
  [{ scheme: "http" }, "https://gate.example/7/x", 308, "http://gate.example/7/x"],
  [{ scheme: "http", port: 80 }, "https://gate.example/7/x", 308, "http://gate.example/7/x"],
  [{ scheme: "http", port: 8080 }, "https://gate.example/7/x", 308, "http://gate.example:8080/7/x"],
  [{ path: "/all/{path.id}" }, "/7/x?a=1", 308, "/all/7?a=1"],
  [{ "strip-prefix": "/7", "put-prefix": "/new/one" }, "/7/x", 308, "/new/one/x"],
  [{ "strip-prefix": "/7", host: "new.example" }, "/7/x", 308, "https://new.example/x"],
  // A captured text never becomes a host.
  [{ to: "/{path.id}" }, "/%5cevil.example/x", 400, undefined],
  [{ to: "/{path.rest}" }, "/a//evil.example", 400, undefined],
  [{ to: "/{query.next}", query: "drop" }, "/a/x?next=/evil.example", 308, "/%2Fevil.example"],
  [{ to: "/{query.next}", query: "drop" }, "/a/x?next=%5cevil.example", 308, "/%5Cevil.example"],
  [{ to: "/{query.next}" }, "/a/x?next=%0d%0aset-cookie:a=1", 400, undefined],
  [{ to: "/{query.next}" }, "/a/x?next=", 400, undefined],
  [{ to: "/{query.next}" }, "/a/x", 400, undefined],
])("%j: %s → %i %s", async (config, target, status, location) => {
  const received = await gate(config).send(`GET ${target}`);
  expect([received.status, received.headers.location]).toEqual([status, location]);
  if (status === 308) expect(received.line).toMatchObject({ verdict: "answered", by: "redirect" });
});

it("always redirects to the manifest's host and path, whatever the client sends", async () => {
  const unit = fc.constantFrom(
    "/",
    "\\",
    "..",
    ".",
    "%2f",
    "%5c",
    "@",
    ":",
    "//",
    "evil.example",
    "%0d%0a",
    "\t",
    "?",
    "#",
  );
  const places: [string, RegExp][] = [
    ["/{query.q}", /^https:\/\/gate\.example\/[^/]/],
    ["/go/{query.q}/end", /^https:\/\/gate\.example\/go\/.+\/end$/],
    ["https://new.example/{query.q}", /^https:\/\/new\.example\/[^/]/],
  ];
  const gates = places.map(([to, expected]) => [gate({ to, query: "drop" }), expected] as const);
  await fc.assert(
    fc.asyncProperty(fc.array(unit, { maxLength: 6 }), async (units) => {
      for (const [{ send }, expected] of gates) {
        const received = await send(`GET /7/x?q=${encodeURIComponent(units.join(""))}`);
        if (received.status === 308)
          expect(new URL(received.headers.location ?? "", "https://gate.example/7/x").href).toMatch(expected);
        else
          expect([received.status, received.code, received.headers.location]).toEqual([
            400,
            "reference-malformed",
            undefined,
          ]);
      }
    }),
    { numRuns: 500, seed: 1 },
  );
});

it.each([
  {},
  { to: "/a/../b" },
  { to: "https://user@evil.example/" },
  { to: "javascript:alert(1)" },
  { to: "/\\evil.example" },
  { to: "/a", https: true },
  { https: false },
  { to: "//evil.example" },
  { to: "https://{header.host}/" },
  { to: "/a", status: 200 },
])("refuses %j in a manifest", (value) => {
  expect(spec().schema.safeParse(value).success).toBe(false);
});

it.each([
  [{}],
  [{ to: "/x", host: "new.example" }],
  [{ https: true, port: 8443 }],
  [{ path: "/x", "strip-prefix": "/y" }],
  [{ host: "New.example" }],
  [{ port: 70_000 }],
])("the schema refuses %j", (config) => {
  expect(spec().schema.safeParse(config).success).toBe(false);
});
