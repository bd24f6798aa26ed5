/** A sound project of single lines, and for each line what it can be broken into: the code that is reported, and where. */

export interface LineFault {
  readonly line: string;
  /** Each with the text of the line that is marked. */
  readonly problems: readonly (readonly [code: string, marked: string])[];
  /** A route may then lead anywhere, so that no upstream is sure to be unused. */
  readonly hidesUnused?: true;
  /** The line of an upstream that no route goes to then. */
  readonly unused?: string;
}

export interface ManifestLine {
  readonly file: string;
  readonly valid: string;
  readonly faults: readonly LineFault[];
}

const fault = (line: string, ...problems: LineFault["problems"]): LineFault => ({ line, problems });
const hidesUnused = (line: string, ...problems: LineFault["problems"]): LineFault => ({
  line,
  problems,
  hidesUnused: true,
});

const lineOf =
  (file: string) =>
  (sound: string, ...faults: readonly LineFault[]): ManifestLine => ({ file, valid: sound, faults });
const manifest = lineOf("routes/shop.yaml");
const environment = lineOf("routes/environments/local.yaml");
const consumersLine = lineOf("routes/consumers.yaml");
const caseLine = lineOf("routes/shop.test.yaml");
const route = (name: string, sound: string, ...faults: readonly LineFault[]): ManifestLine =>
  manifest(`  ${name}: ${sound}`, ...faults.map((it) => ({ ...it, line: `  ${name}: ${it.line}` })));

const spareUpstream = "  spare: { http: https://spare.acme.example }";

const hash = (digit: string) => `sha256:${digit.repeat(64)}`;

export const manifestLines: readonly ManifestLine[] = [
  manifest("api: postern/v1", fault("api: postern/v9", ["unknown-value", "postern/v9"])),
  manifest("tier: shop", fault("tier: Shop", ["wrong-format", "Shop"]), fault("tier: sohp", ["file-name", "sohp"])),
  manifest(
    "owner: '@acme/shop'",
    fault("owner: [a]", ["wrong-type", "owner"]),
    fault("ownr: a", ["unknown-key", "ownr"]),
  ),
  manifest(
    "hosts: [api.acme.example, b.acme.example]",
    fault("hosts: [api.acme.example, api.acme.example]", ["duplicate-id", "api.acme.example]"]),
    fault("hosts: [api.acme.example, under_score]", ["wrong-format", "under_score"]),
    fault("hosts: 7", ["wrong-type", "7"]),
  ),
  manifest(`summary: $${"{a}"}`),
  manifest(
    "base: /shop",
    fault("base: shop", ["wrong-format", "shop"]),
    fault("base: /shop/", ["wrong-format", "/shop/"]),
  ),
  manifest(
    "level: standard",
    fault("level: high", ["unknown-value", "high"]),
    fault("levle: core", ["unknown-key", "levle"]),
  ),
  manifest("labels: { app: web }", fault("labels: { app: 7 }", ["wrong-type", "7"])),
  manifest(
    "limits: { body: 1MiB, concurrency: 9 }",
    fault("limits: { body: 3, concurrency: 9 }", ["wrong-type", "3"]),
    fault("limits: { boddy: 1MiB }", ["unknown-key", "boddy"]),
    fault("limits: { body: 1MiB, concurrency: 0 }", ["out-of-range", "0 }"]),
    fault("limts: {}", ["unknown-key", "limts"]),
  ),
  manifest(
    "log: { sample: 10% }",
    fault("log: { sample: 10 }", ["wrong-type", "10 }"]),
    fault("log: []", ["wrong-type", "log"]),
  ),
  manifest(
    "release: { steps: [1%, 100%], bake: 1m }",
    fault("release: { steps: [10%, 5%, 100%], bake: 1m }", ["release-steps", "5%,"]),
    fault("release: { steps: [1%, 100%], bake: 1 }", ["wrong-type", "1 }"]),
    fault("release: { steps: [1%, 100%], watch: { for: 1h, holdback: 5% } }", ["unknown-key", "holdback"]),
    fault("release: { steps: [99%, 100%], watch: 1h }", ["release-watch", "1h }"]),
    fault("release: { steps: [10%, 5%, 100%], baek: 1m }", ["release-steps", "5%,"], ["unknown-key", "baek"]),
  ),
  manifest("filters:"),
  manifest(
    "  - cors: { origins: [https://a.example] }",
    fault("  - cors: { orgins: [https://a.example] }", ["unknown-key", "orgins"]),
    fault("  - cors: { origins: [https://a.example], max-age: 5 }", ["wrong-type", "5 }"]),
  ),
  manifest(
    "  - rate-limit: { limit: 10/s, by: ip }",
    fault("  - rate-limit: { limit: 10, by: ip }", ["wrong-type", "10,"]),
    fault(
      '  - { rate-limit: { limit: 10/s, by: "{consumer.id}" }, moed: shadow }',
      ["wrong-format", '"{consumer.id}"'],
      ["unknown-key", "moed"],
    ),
  ),
  manifest(
    "  - headers: { request: { set: { x-id: '{request.id}' } } }",
    fault("  - headers: { request: { set: { x-id: '{claim.sub}' } } }", ["reference-unbound", "'{claim.sub}'"]),
    fault(
      "  - headers: { request: { set: { x-id: '{claim.sub}' } }, respons: {} }",
      ["reference-unbound", "'{claim.sub}'"],
      ["unknown-key", "respons"],
    ),
  ),
  manifest("upstreams:"),
  manifest(
    "  it: { http: https://it.acme.example }",
    fault("  it: { http: https://it.acme.example, timeout: 5 }", ["wrong-type", "5 }"]),
    fault("  it: { htp: https://it.acme.example }", ["unknown-upstream-kind", "htp"]),
  ),
  manifest(
    "  legacy: { http: https://legacy.acme.example }",
    fault("  legacy: { http: ftp://legacy.acme.example }", ["wrong-format", "ftp"]),
  ),
  manifest(spareUpstream),
  manifest("routes:"),
  route("spare", "{ match: GET /spare, to: spare }", {
    line: "{ match: GET /spare, to: it }",
    problems: [],
    unused: spareUpstream,
  }),
  route(
    "plain",
    "{ match: 'GET /plain/{id}', to: it, path: '/{path.id}' }",
    hidesUnused(
      "{ match: 'GET /plain/{id}', too: it, to: nope, path: '/{path.nope}' }",
      ["unknown-key", "too"],
      ["unknown-upstream", "nope,"],
      ["reference-unbound", "'/{path.nope}'"],
    ),
  ),
  route(
    "matched",
    "{ match: GET /matched, to: it }",
    fault("{ match: GETT /matched, to: it }", ["wrong-format", "GETT"]),
    fault("{ macth: GET /matched, to: it }", ["unknown-key", "macth"]),
    hidesUnused(
      "{ match: GET matched, to: nope, upgrade: socket }",
      ["wrong-format", "GET matched"],
      ["unknown-upstream", "nope"],
      ["unknown-value", "socket"],
    ),
  ),
  manifest("  same: { match: GET /same, to: it, rank: 1 }"),
  route(
    "twice",
    "{ match: GET /twice, to: it }",
    fault("{ match: GET /same, to: it }", ["duplicate-match", "GET /same"]),
    fault("{ match: 'GET /twice/{x:[/]}', to: it }", ["wrong-format", "'GET /twice"]),
  ),
  route(
    "never",
    "{ match: 'GET /never/{x:[0-9]}', to: it }",
    fault("{ match: 'GET /never/{x:[;]}', to: it }", ["never-matches", "'GET /never"]),
  ),
  route(
    "ranked",
    "{ match: GET /ranked, to: it, rank: 7 }",
    fault("{ match: GET /ranked, to: it, rank: 0 }", ["out-of-range", "0 }"]),
  ),
  route(
    "when",
    "{ match: GET /when, to: it, when: { header: { x-a: present } } }",
    fault("{ match: GET /when, to: it, when: { heder: { x-a: present } } }", ["unknown-key", "heder"]),
    fault("{ match: GET /when, to: it, when: { header: { x-a: 7 } } }", ["wrong-type", "7 }"]),
  ),
  route(
    "weighted",
    "{ match: GET /weighted, to: [{ it: 1 }, { legacy: 2 }] }",
    hidesUnused(
      "{ match: GET /weighted, to: [{ it: x }, { nope: 2 }] }",
      ["wrong-type", "x }"],
      ["unknown-upstream", "nope"],
    ),
    hidesUnused("{ match: GET /weighted, to: 7 }", ["wrong-type", "7 }"]),
  ),
  route(
    "cut",
    "{ match: GET /cut, to: it, cutover: { legacy: legacy, percent: 5% } }",
    hidesUnused(
      "{ match: GET /cut, to: it, cutover: { legacy: nope, percent: 5 } }",
      ["unknown-upstream", "nope"],
      ["wrong-type", "5 }"],
    ),
  ),
  route(
    "answered",
    "{ match: GET /answered, respond: { text: ok } }",
    fault("{ match: GET /answered, respond: { text: ok }, path: /x }", ["no-effect", "path"]),
    fault("{ match: GET /answered, respond: { text: ok, status: 99 } }", ["out-of-range", "99"]),
    fault("{ match: GET /answered, respond: { txt: ok }, path: /x }", ["unknown-key", "txt"], ["no-effect", "path"]),
  ),
  route(
    "nowhere",
    "{ match: GET /nowhere, to: it }",
    hidesUnused("{ match: GET /nowhere, summry: x }", ["one-destination", "nowhere"], ["unknown-key", "summry"]),
  ),
  route(
    "without",
    "{ match: GET /without, to: it, without: [cors] }",
    fault("{ match: GET /without, to: it, without: [cros] }", ["unknown-without", "cros"]),
    fault("{ match: GET /without, to: it, without: 7 }", ["wrong-type", "7 }"]),
  ),
  route(
    "filtered",
    "{ match: POST /filtered, to: it, filters: [{ timeout: 2s }] }",
    fault("{ match: POST /filtered, to: it, filters: [{ timeout: 2 }] }", ["wrong-type", "2 }"]),
    hidesUnused(
      "{ match: POST /filtered, to: nope, filters: [{ tiemout: 2s }] }",
      ["unknown-upstream", "nope"],
      ["unknown-filter", "tiemout"],
    ),
    fault("{ match: POST /filtered, to: it, filters: [{ timeout: 2s }, { timeout: 3s }] }", [
      "duplicate-id",
      "timeout: 3s",
    ]),
  ),
  route(
    "gone",
    "{ match: GET /gone, to: it, deprecated: { since: 2026-01-01, sunset: 2026-02-01 } }",
    fault(
      "{ match: GET /gone, to: it, deprecated: { since: 2026-03-01, sunset: 2026-02-01, foo: 1 } }",
      ["invalid", "2026-02-01"],
      ["unknown-key", "foo"],
    ),
    fault("{ match: GET /gone, to: it, deprecated: { since: soon, sunset: 2026-02-01 } }", ["invalid", "soon"]),
  ),
  route(
    "closed",
    "{ match: GET /closed, to: it, closed: true }",
    fault("{ match: GET /closed, to: it, closed: 5 }", ["wrong-type", "5 }"]),
  ),
  route(
    "led",
    "{ match: 'GET /led/{id}', redirect: { to: '/{path.id}' } }",
    fault(
      "{ match: 'GET /led/{id}', redirect: { to: '/{path.nope}', status: 99 } }",
      ["reference-unbound", "'/{path.nope}'"],
      ["unknown-value", "99"],
    ),
  ),
  environment(
    "values: { a: x }",
    fault("values: { a: 7 }", ["wrong-type", "7"]),
    fault("vlues: { a: x }", ["unknown-key", "vlues"]),
  ),
  environment(
    "front: { gray-key: { cookie: g } }",
    fault("front: { gray-key: { cooky: g } }", ["unknown-key", "cooky"]),
  ),
  consumersLine("consumers:"),
  consumersLine(
    `  ann: { keys: ["${hash("a")}"] }`,
    fault('  ann: { keys: ["sha256:x"] }', ["wrong-format", '"sha256:x"']),
  ),
  consumersLine(`  cid: { keys: ["${hash("c")}"] }`),
  consumersLine(
    `  ben: { keys: ["${hash("b")}"] }`,
    fault(`  ben: { keys: ["${hash("c")}"] }`, ["duplicate-id", '"sha']),
  ),
  caseLine(
    "- { it: a, send: GET /shop/plain/7, expect: { status: 200, route: plain } }",
    fault("- { it: a, send: GET /shop/plain/7, expect: { status: x, route: plain } }", ["wrong-type", "x,"]),
    fault(
      "- { it: a, snd: GET /shop/plain/7, expect: { status: 200, route: plian } }",
      ["unknown-key", "snd"],
      ["unknown-value", "plian"],
    ),
  ),
  caseLine(
    "- { it: b, send: GET /shop/led/7, upstream: { it: { replies: { status: 200 } } }, expect: { status: 302 } }",
    fault("- { it: a, send: GET /shop/led/7, expect: { status: 302 } }", ["duplicate-id", "a,"]),
    fault(
      "- { it: b, send: GET /shop/led/7, upstream: { it: { replies: { statsu: 200 } } }, expect: { route: lde } }",
      ["unknown-key", "statsu"],
      ["unknown-value", "lde"],
    ),
  ),
];
