/** Which rule takes a request: paths, methods, headers, parameters, and what comes first. */
import { type Case, exact, gateway, header, prefix, query, regex, route, routeTo, simple } from "./case-helpers.ts";

export const matching: Readonly<Record<string, Case>> = {
  "an exact path is that path": {
    resources: simple(routeTo(exact("/one"), "v1"), routeTo(exact("/two"), "v2")),
    exchanges: [
      ["GET /one", "v1"],
      ["GET /two?a=1", "v2"],
      ["GET /", 404],
      ["GET /one/", 404],
      ["GET /one/more", 404],
      ["GET /One", 404],
    ],
  },
  "a prefix is of whole path elements": {
    resources: simple(routeTo(prefix("/"), "v1"), routeTo(prefix("/v2/"), "v2")),
    exchanges: [
      ["GET /", "v1"],
      ["GET /example", "v1"],
      ["GET /v2", "v2"],
      ["GET /v2/", "v2"],
      ["GET /v2/a/b", "v2"],
      ["GET /v2a", "v1"],
      ["GET /a/v2", "v1"],
    ],
  },
  "without matches, a rule takes everything": {
    resources: gateway() + route("    - { backendRefs: [{ name: v3, port: 80 }] }"),
    exchanges: [
      ["DELETE /any/thing", "v3"],
      ["HEAD /", { status: 200 }],
    ],
  },
  "an exact path comes before a prefix, and a longer prefix before a shorter one, whatever else they ask for": {
    resources: simple(
      routeTo(prefix("/match", `method: GET, ${header("x", "1")}, ${query("q", "1")}`), "v3"),
      routeTo(exact("/match"), "v1"),
      routeTo(prefix("/match/long"), "v2"),
      routeTo(prefix("/match/long/er", header("y", "1")), "v1"),
      routeTo(exact("/match/long/er"), "v3"),
    ),
    exchanges: [
      ["GET /match?q=1", "v1", { x: "1" }],
      ["GET /match/?q=1", "v3", { x: "1" }],
      ["GET /match/other?q=1", "v3", { x: "1" }],
      ["GET /match/long?q=1", "v2", { x: "1" }],
      ["GET /match/long/er", "v3", { y: "1" }],
      ["GET /match/long/er/x", "v1", { y: "1" }],
      ["GET /match/long/er/x", "v2"],
      ["GET /match/other", 404],
    ],
  },
  "a regular expression is of segments": {
    resources: simple(
      routeTo(regex("/v[0-9]+/users/[^/]+"), "v1"),
      routeTo(regex("^/files/.*$"), "v2"),
      routeTo(regex("/exact\\\\.json".replace("\\\\", "\\")), "v3"),
    ),
    exchanges: [
      ["GET /v12/users/alice", "v1"],
      ["GET /vx/users/alice", 404],
      ["GET /v1/users/alice/more", 404],
      ["GET /files/a/b/c", "v2"],
      ["GET /files/", "v2"],
      ["GET /files", 404],
      ["GET /exact.json", "v3"],
      ["GET /exactxjson", 404],
    ],
  },
  "a method is that method, and GET no HEAD": {
    resources: simple(
      routeTo("{ method: POST }", "v1"),
      routeTo("{ method: GET }", "v2"),
      routeTo(prefix("/path1", "method: GET"), "v1"),
      routeTo(`{ method: PUT, ${header("version", "one")} }`, "v2"),
      routeTo(
        `${prefix("/path3", "method: PATCH")}, ${prefix("/path4", `method: DELETE, ${header("version", "three")}`)}`,
        "v3",
      ),
      routeTo(prefix("/path5"), "v1"),
      routeTo("{ method: PATCH }", "v2"),
      routeTo(`{ ${header("version", "four")} }`, "v3"),
    ),
    exchanges: [
      ["POST /", "v1"],
      ["GET /", "v2"],
      ["HEAD /", 404],
      ["GET /path1", "v1"],
      ["HEAD /path1", 404],
      ["PUT /", "v2", { version: "one" }],
      ["PUT /", 404],
      ["PATCH /path3", "v3"],
      ["DELETE /path4", "v3", { version: "three" }],
      ["DELETE /path4", 404],
      ["OPTIONS /path4", 404],
      // A path comes before a method, and a method before headers.
      ["PATCH /path5", "v1"],
      ["PATCH /", "v2", { version: "four" }],
      ["DELETE /", "v3", { version: "four" }],
    ],
  },
  "headers are compared whole, their names in any case": {
    resources: simple(
      routeTo(`{ ${header("version", "one")} }`, "v1"),
      routeTo(`{ ${header("Version", "two")} }`, "v2"),
      routeTo("{ headers: [{ name: version, value: two }, { name: color, value: orange }] }", "v1"),
      routeTo(`{ ${header("color", "blue")} }, { ${header("color", "green")} }`, "v3"),
      routeTo(`{ ${header("x-id", "[0-9]{2,4}", "RegularExpression")} }`, "v2"),
    ),
    exchanges: [
      ["GET /", "v1", { VERSION: "one" }],
      ["GET /", "v2", { version: "two" }],
      ["GET /", "v1", { version: "two", color: "orange" }],
      // Of two that fit alike, the first rule.
      ["GET /", "v2", { version: "two", color: "blue" }],
      ["GET /", "v3", { color: "green" }],
      ["GET /", "v2", { "x-id": "123" }],
      ["GET /", 404, { "x-id": "12345" }],
      ["GET /", 404, { version: "One" }],
      ["GET /", 404, { color: "orange" }],
      ["GET /", 404],
    ],
  },
  "parameters are compared whole, their names too": {
    resources: simple(
      routeTo(`{ ${query("animal", "whale")} }`, "v1"),
      routeTo(`{ ${query("animal", "dolphin")} }`, "v2"),
      routeTo(
        `{ queryParams: [{ name: animal, value: dolphin }, { name: color, value: blue }] }, { ${query("ANIMAL", "Whale")} }`,
        "v3",
      ),
      routeTo(prefix("/path5"), "v1"),
      routeTo(`{ ${query("animal", "hydra")} }`, "v2"),
      routeTo(`{ ${header("version", "four")} }`, "v3"),
      routeTo(`{ ${query("n", "[0-9]+", "RegularExpression")} }`, "v3"),
    ),
    exchanges: [
      ["GET /?animal=whale", "v1"],
      ["GET /?animal=whale&other=1", "v1"],
      ["GET /?animal=dolphin&color=blue", "v3"],
      ["GET /?animal=dolphin&color=red", "v2"],
      ["GET /?ANIMAL=Whale", "v3"],
      ["GET /?n=42", "v3"],
      ["GET /?n=4x", 404],
      ["GET /?animal=whaledolphin", 404],
      ["GET /?color=blue", 404],
      // A path comes before parameters, and headers do.
      ["GET /path5?animal=hydra", "v1"],
      ["GET /?animal=hydra", "v3", { version: "four" }],
    ],
  },
  "headers count before parameters, however many of these there are": {
    resources: simple(
      routeTo("{ queryParams: [{ name: a, value: '1' }, { name: b, value: '1' }, { name: c, value: '1' }] }", "v1"),
      routeTo(`{ ${header("x", "1")} }`, "v2"),
      routeTo(`{ ${header("x", "1")}, ${query("a", "1")} }`, "v3"),
    ),
    exchanges: [
      ["GET /?a=1&b=1&c=1", "v1"],
      ["GET /?a=1&b=1&c=1", "v3", { x: "1" }],
      ["GET /?b=1&c=1", "v2", { x: "1" }],
    ],
  },
  "of routes that match alike, the oldest, then the first by name": {
    resources:
      gateway() +
      route(routeTo(prefix("/old", header("x", "1")), "v1"), { name: "a-new", created: "2026-02-01T00:00:00Z" }) +
      route(routeTo(prefix("/old", header("y", "1")), "v2"), { name: "z-old", created: "2026-01-01T00:00:00Z" }) +
      route(routeTo(prefix("/name", header("x", "1")), "v2"), { name: "n-two", created: "2026-03-01T00:00:00Z" }) +
      route(routeTo(prefix("/name", header("y", "1")), "v3"), { name: "n-one", created: "2026-03-01T00:00:00Z" }),
    exchanges: [
      ["GET /old", "v2", { x: "1", y: "1" }],
      ["GET /old", "v1", { x: "1" }],
      ["GET /name", "v3", { x: "1", y: "1" }],
      ["GET /name", "v2", { x: "1" }],
    ],
  },
};
