/** A sound project of single lines, and for each line what it can be broken into: the code that is reported, and where. */

export interface Fault {
  readonly line: string;
  /** Each with the text of the line that is marked. */
  readonly problems: readonly (readonly [code: string, marked: string])[];
  /** A route may then lead anywhere, so that no upstream is sure to be unused. */
  readonly astray?: true;
  /** The line of an upstream that no route goes to then. */
  readonly unused?: string;
}

export interface Slot {
  readonly file: string;
  readonly sound: string;
  readonly faults: readonly Fault[];
}

const one = (line: string, code: string, marked: string): Fault => ({ line, problems: [[code, marked]] });
const astray = (line: string, code: string, marked: string): Fault => ({ ...one(line, code, marked), astray: true });

const file = "routes/shop.yaml";
const manifest = (sound: string, ...faults: readonly Fault[]): Slot => ({ file, sound, faults });
const route = (name: string, sound: string, ...faults: readonly Fault[]): Slot =>
  manifest(`  ${name}: ${sound}`, ...faults.map((it) => ({ ...it, line: `  ${name}: ${it.line}` })));

const spare = "  spare: { http: https://spare.acme.example }";

const environment = "routes/environments/local.yaml";
const cases = "routes/shop.test.yaml";
const people = "routes/consumers.yaml";
const hash = (digit: string) => `sha256:${digit.repeat(64)}`;

export const slots: readonly Slot[] = [
  manifest("api: postern/v1", one("api: postern/v9", "unknown-value", "postern/v9")),
  manifest("tier: shop", one("tier: Shop", "wrong-format", "Shop"), one("tier: sohp", "file-name", "sohp")),
  manifest("owner: '@acme/shop'", one("owner: [a]", "wrong-type", "owner"), one("ownr: a", "unknown-key", "ownr")),
  manifest(
    "hosts: [api.acme.example, b.acme.example]",
    one("hosts: [api.acme.example, api.acme.example]", "duplicate-id", "api.acme.example]"),
    one("hosts: [api.acme.example, under_score]", "wrong-format", "under_score"),
    one("hosts: 7", "wrong-type", "7"),
  ),
  manifest(`summary: $${"{a}"}`),
  manifest("base: /shop", one("base: shop", "wrong-format", "shop"), one("base: /shop/", "wrong-format", "/shop/")),
  manifest("level: standard", one("level: high", "unknown-value", "high"), one("levle: core", "unknown-key", "levle")),
  manifest("labels: { app: web }", one("labels: { app: 7 }", "wrong-type", "7")),
  manifest(
    "limits: { body: 1MiB, concurrency: 9 }",
    one("limits: { body: 3, concurrency: 9 }", "wrong-type", "3"),
    one("limits: { boddy: 1MiB }", "unknown-key", "boddy"),
    one("limits: { body: 1MiB, concurrency: 0 }", "out-of-range", "0 }"),
    one("limts: {}", "unknown-key", "limts"),
  ),
  manifest(
    "log: { sample: 10% }",
    one("log: { sample: 10 }", "wrong-type", "10 }"),
    one("log: []", "wrong-type", "log"),
  ),
  manifest(
    "release: { steps: [1%, 100%], bake: 1m }",
    one("release: { steps: [10%, 5%, 100%], bake: 1m }", "release-steps", "5%,"),
    one("release: { steps: [1%, 100%], bake: 1 }", "wrong-type", "1 }"),
    {
      line: "release: { steps: [10%, 5%, 100%], baek: 1m }",
      problems: [
        ["release-steps", "5%,"],
        ["unknown-key", "baek"],
      ],
    },
  ),
  manifest("filters:"),
  manifest(
    "  - cors: { origins: [https://a.example] }",
    one("  - cors: { orgins: [https://a.example] }", "unknown-key", "orgins"),
    one("  - cors: { origins: [https://a.example], max-age: 5 }", "wrong-type", "5 }"),
  ),
  manifest(
    "  - rate-limit: { limit: 10/s, by: ip }",
    one("  - rate-limit: { limit: 10, by: ip }", "wrong-type", "10,"),
    {
      line: '  - { rate-limit: { limit: 10/s, by: "{consumer.id}" }, moed: shadow }',
      problems: [
        ["wrong-format", '"{consumer.id}"'],
        ["unknown-key", "moed"],
      ],
    },
  ),
  manifest(
    "  - headers: { request: { set: { x-id: '{request.id}' } } }",
    one("  - headers: { request: { set: { x-id: '{claim.sub}' } } }", "reference-unbound", "'{claim.sub}'"),
    {
      line: "  - headers: { request: { set: { x-id: '{claim.sub}' } }, respons: {} }",
      problems: [
        ["reference-unbound", "'{claim.sub}'"],
        ["unknown-key", "respons"],
      ],
    },
  ),
  manifest("upstreams:"),
  manifest(
    "  it: { http: https://it.acme.example }",
    one("  it: { http: https://it.acme.example, timeout: 5 }", "wrong-type", "5 }"),
    one("  it: { htp: https://it.acme.example }", "unknown-upstream-kind", "htp"),
  ),
  manifest(
    "  legacy: { http: https://legacy.acme.example }",
    one("  legacy: { http: ftp://legacy.acme.example }", "wrong-format", "ftp"),
  ),
  manifest(spare),
  manifest("routes:"),
  route("spare", "{ match: GET /spare, to: spare }", {
    line: "{ match: GET /spare, to: it }",
    problems: [],
    unused: spare,
  }),
  route("plain", "{ match: 'GET /plain/{id}', to: it, path: '/{path.id}' }", {
    line: "{ match: 'GET /plain/{id}', too: it, to: nope, path: '/{path.nope}' }",
    problems: [
      ["unknown-key", "too"],
      ["unknown-upstream", "nope,"],
      ["reference-unbound", "'/{path.nope}'"],
    ],
    astray: true,
  }),
  route(
    "matched",
    "{ match: GET /matched, to: it }",
    one("{ match: GETT /matched, to: it }", "wrong-format", "GETT"),
    one("{ macth: GET /matched, to: it }", "unknown-key", "macth"),
    {
      line: "{ match: GET matched, to: nope, upgrade: socket }",
      problems: [
        ["wrong-format", "GET matched"],
        ["unknown-upstream", "nope"],
        ["unknown-value", "socket"],
      ],
      astray: true,
    },
  ),
  { file, sound: "  same: { match: GET /same, to: it, rank: 1 }", faults: [] },
  route(
    "twice",
    "{ match: GET /twice, to: it }",
    one("{ match: GET /same, to: it }", "duplicate-match", "GET /same"),
    one("{ match: 'GET /twice/{x:[/]}', to: it }", "wrong-format", "'GET /twice"),
  ),
  route(
    "never",
    "{ match: 'GET /never/{x:[0-9]}', to: it }",
    one("{ match: 'GET /never/{x:[;]}', to: it }", "never-matches", "'GET /never"),
  ),
  route(
    "ranked",
    "{ match: GET /ranked, to: it, rank: 7 }",
    one("{ match: GET /ranked, to: it, rank: 0 }", "out-of-range", "0 }"),
  ),
  route(
    "when",
    "{ match: GET /when, to: it, when: { header: { x-a: present } } }",
    one("{ match: GET /when, to: it, when: { heder: { x-a: present } } }", "unknown-key", "heder"),
    one("{ match: GET /when, to: it, when: { header: { x-a: 7 } } }", "wrong-type", "7 }"),
  ),
  route(
    "weighted",
    "{ match: GET /weighted, to: [{ it: 1 }, { legacy: 2 }] }",
    {
      line: "{ match: GET /weighted, to: [{ it: x }, { nope: 2 }] }",
      problems: [
        ["wrong-type", "x }"],
        ["unknown-upstream", "nope"],
      ],
      astray: true,
    },
    astray("{ match: GET /weighted, to: 7 }", "wrong-type", "7 }"),
  ),
  route("cut", "{ match: GET /cut, to: it, cutover: { legacy: legacy, percent: 5% } }", {
    line: "{ match: GET /cut, to: it, cutover: { legacy: nope, percent: 5 } }",
    problems: [
      ["unknown-upstream", "nope"],
      ["wrong-type", "5 }"],
    ],
    astray: true,
  }),
  route(
    "answered",
    "{ match: GET /answered, respond: { text: ok } }",
    one("{ match: GET /answered, respond: { text: ok }, path: /x }", "no-effect", "path"),
    one("{ match: GET /answered, respond: { text: ok, status: 99 } }", "out-of-range", "99"),
    {
      line: "{ match: GET /answered, respond: { txt: ok }, path: /x }",
      problems: [
        ["unknown-key", "txt"],
        ["no-effect", "path"],
      ],
    },
  ),
  route("nowhere", "{ match: GET /nowhere, to: it }", {
    line: "{ match: GET /nowhere, summry: x }",
    problems: [
      ["one-destination", "nowhere"],
      ["unknown-key", "summry"],
    ],
    astray: true,
  }),
  route(
    "without",
    "{ match: GET /without, to: it, without: [cors] }",
    one("{ match: GET /without, to: it, without: [cros] }", "unknown-without", "cros"),
    one("{ match: GET /without, to: it, without: 7 }", "wrong-type", "7 }"),
  ),
  route(
    "filtered",
    "{ match: POST /filtered, to: it, filters: [{ timeout: 2s }] }",
    one("{ match: POST /filtered, to: it, filters: [{ timeout: 2 }] }", "wrong-type", "2 }"),
    {
      line: "{ match: POST /filtered, to: nope, filters: [{ tiemout: 2s }] }",
      problems: [
        ["unknown-upstream", "nope"],
        ["unknown-filter", "tiemout"],
      ],
      astray: true,
    },
    one(
      "{ match: POST /filtered, to: it, filters: [{ timeout: 2s }, { timeout: 3s }] }",
      "duplicate-id",
      "timeout: 3s",
    ),
  ),
  route(
    "gone",
    "{ match: GET /gone, to: it, deprecated: { since: 2026-01-01, sunset: 2026-02-01 } }",
    {
      line: "{ match: GET /gone, to: it, deprecated: { since: 2026-03-01, sunset: 2026-02-01, foo: 1 } }",
      problems: [
        ["invalid", "2026-02-01"],
        ["unknown-key", "foo"],
      ],
    },
    one("{ match: GET /gone, to: it, deprecated: { since: soon, sunset: 2026-02-01 } }", "invalid", "soon"),
  ),
  route(
    "closed",
    "{ match: GET /closed, to: it, closed: true }",
    one("{ match: GET /closed, to: it, closed: 5 }", "wrong-type", "5 }"),
  ),
  route("led", "{ match: 'GET /led/{id}', redirect: { to: '/{path.id}' } }", {
    line: "{ match: 'GET /led/{id}', redirect: { to: '/{path.nope}', status: 99 } }",
    problems: [
      ["reference-unbound", "'/{path.nope}'"],
      ["unknown-value", "99"],
    ],
  }),
  {
    file: environment,
    sound: "values: { a: x }",
    faults: [one("values: { a: 7 }", "wrong-type", "7"), one("vlues: { a: x }", "unknown-key", "vlues")],
  },
  {
    file: environment,
    sound: "front: { gray-key: { cookie: g } }",
    faults: [one("front: { gray-key: { cooky: g } }", "unknown-key", "cooky")],
  },
  { file: people, sound: "consumers:", faults: [] },
  {
    file: people,
    sound: `  ann: { keys: ["${hash("a")}"] }`,
    faults: [one('  ann: { keys: ["sha256:x"] }', "wrong-format", '"sha256:x"')],
  },
  { file: people, sound: `  cid: { keys: ["${hash("c")}"] }`, faults: [] },
  {
    file: people,
    sound: `  ben: { keys: ["${hash("b")}"] }`,
    faults: [one(`  ben: { keys: ["${hash("c")}"] }`, "duplicate-id", '"sha')],
  },
  {
    file: cases,
    sound: "- { it: a, send: GET /shop/plain/7, expect: { status: 200, route: plain } }",
    faults: [
      one("- { it: a, send: GET /shop/plain/7, expect: { status: x, route: plain } }", "wrong-type", "x,"),
      {
        line: "- { it: a, snd: GET /shop/plain/7, expect: { status: 200, route: plian } }",
        problems: [
          ["unknown-key", "snd"],
          ["unknown-value", "plian"],
        ],
      },
    ],
  },
  {
    file: cases,
    sound:
      "- { it: b, send: GET /shop/led/7, upstream: { it: { replies: { status: 200 } } }, expect: { status: 302 } }",
    faults: [
      one("- { it: a, send: GET /shop/led/7, expect: { status: 302 } }", "duplicate-id", "a,"),
      {
        line: "- { it: b, send: GET /shop/led/7, upstream: { it: { replies: { statsu: 200 } } }, expect: { route: lde } }",
        problems: [
          ["unknown-key", "statsu"],
          ["unknown-value", "lde"],
        ],
      },
    ],
  },
];
