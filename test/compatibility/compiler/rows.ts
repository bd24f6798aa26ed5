/** Manifests with several mistakes at once, and all problems that must be reported. */
import type { Row } from "../row.ts";

export interface CompilerRow extends Row {
  /** By file beneath `routes/`; the frame of `t.yaml` stands ahead of its text where that does not begin with `api`. */
  readonly files: Readonly<Record<string, string>>;
  /** `code@line:column`, of `t.yaml` where no file is named. */
  readonly reports: readonly string[];
}

export const frame = `api: postern/v1
tier: t
hosts: [api.acme.example]
upstreams: { it: { http: https://it.acme.example } }
`;

/** Below the frame, so that the first of them is line 6. */
const routes = (...lines: readonly string[]) => ({
  "t.yaml": `routes:\n${lines.map((line) => `  ${line}\n`).join("")}`,
});

const style = "docs, law 2: every problem at once";
const recovery = "rustc-dev-guide, parser: it recovers from an error so that what follows is judged too";
const silent = "rustc-dev-guide, TyKind::Error: of what has been reported, no further errors follow";
const masked = "Kubernetes KEP-2885: every unknown, duplicate and invalid field is reported in one answer";

export const rows: readonly CompilerRow[] = [
  {
    it: "a misspelt key of a route hides neither its unknown upstream nor its unbound reference",
    authority: `issue 19, section 8; ${style}`,
    files: routes("one: { match: GET /one, too: it, to: nope, path: '/{path.nope}' }"),
    reports: ["unknown-key@6:27", "unknown-upstream@6:40", "reference-unbound@6:52"],
  },
  {
    it: "a broken key of the frame hides no rule over the rest of it",
    authority: `issue 19, section 8; ${style}`,
    files: {
      "t.yaml":
        "level: high\nrelease: { steps: [50%, 10%] }\nisolation: shared\nentry: zone\nroutes:\n  one: { match: GET /one, to: it }\n",
    },
    reports: ["unknown-value@5:8", "release-steps@6:25", "isolation-unfit@7:12"],
  },
  {
    it: "a broken key of release does not hide that its steps do not rise",
    authority: `issue 19, section 8; ${style}`,
    files: {
      "t.yaml": "release: { bake: 5, steps: [50%, 10%, 100%] }\nroutes:\n  one: { match: GET /one, to: it }\n",
    },
    reports: ["wrong-type@5:18", "release-steps@5:34"],
  },
  {
    it: "a broken key of limits does not hide what a shared gate cannot have",
    authority: `issue 19, section 8; ${style}`,
    files: {
      "t.yaml": "isolation: shared\nlimits: { body: 3, cpu: 10ms }\nroutes:\n  one: { match: GET /one, to: it }\n",
    },
    reports: ["wrong-type@6:17", "isolation-unfit@6:25"],
  },
  {
    it: "a filter of no known kind does not hide a reference to what the match does not capture",
    authority: recovery,
    files: {
      "t.yaml": "filters: [{ corss: {} }]\nroutes:\n  one: { match: 'GET /one/{id}', to: it, path: '/{path.nope}' }\n",
    },
    reports: ["unknown-filter@5:13", "reference-unbound@7:48"],
  },
  {
    it: "a filter of no known kind is not taken for the identity that is missing behind it",
    authority: `${silent}; ${style}`,
    files: {
      "t.yaml":
        "filters: [{ jwwt: {} }, { headers: { request: { set: { x-who: '{claim.sub}' } } } }]\nroutes:\n  one: { match: GET /one, to: it }\n",
    },
    reports: ["unknown-filter@5:13"],
  },
  {
    it: "a broken configuration of a filter does not hide that the filter stands in the wrong place",
    authority: recovery,
    files: {
      "t.yaml":
        "filters:\n  - jwt: { issuer: https://i.example, audience: a, algoritms: [EdDSA] }\n  - cors: { origins: ['*'] }\nroutes:\n  one: { match: GET /one, to: it }\n",
    },
    reports: ["unknown-key@6:52", "filter-order@7:5"],
  },
  {
    it: "a broken filter of the tier is still one that routes can drop",
    authority: `${silent}; ${style}`,
    files: {
      "t.yaml":
        "filters: [{ cors: { orgins: ['*'] } }]\nroutes:\n  one: { match: GET /one, to: it, without: [cors] }\n  two: { match: GET /two, to: it, without: [cros] }\n",
    },
    reports: ["unknown-key@5:21", "unknown-without@8:45"],
  },
  {
    it: "a broken match hides neither the route's upstream nor its filters, and its captures are not missed",
    authority: silent,
    files: routes("one: { match: GETT /one, to: nope, path: '/{path.id}', filters: [{ timeout: 5 }] }"),
    reports: ["wrong-format@6:17", "unknown-upstream@6:32", "wrong-type@6:79"],
  },
  {
    it: "a misspelt match is not missing as well, and the route is not one of the whole base",
    authority: silent,
    files: routes("one: { macth: GET /one, to: it }", "two: { match: GET /, to: it }"),
    reports: ["unknown-key@6:10"],
  },
  {
    it: "a broken weight does not hide the unknown upstream beside it",
    authority: masked,
    files: routes("one: { match: GET /one, to: [{ it: much }, { nope: 1 }] }"),
    reports: ["wrong-type@6:38", "unknown-upstream@6:48"],
  },
  {
    it: "an upstream is not unused because the route that goes there is broken",
    authority: `${silent}; ${style}`,
    files: routes("one: { match: GET /one, to: 7 }", "two: { match: GET /two, respond: { text: ok } }"),
    reports: ["wrong-type@6:31"],
  },
  {
    it: "an upstream that no route goes to is reported beside a route that is broken elsewhere",
    authority: masked,
    files: routes("one: { match: GET /one, respond: { text: ok }, rank: 0 }"),
    reports: ["unused-upstream@4:14", "out-of-range@6:56"],
  },
  {
    it: "misspelt upstreams are not unknown at every route",
    authority: `${silent}; ${style}`,
    files: {
      "t.yaml":
        "api: postern/v1\ntier: t\nhosts: [api.acme.example]\nupstrems: { it: { http: https://it.acme.example } }\nroutes:\n  one: { match: GET /one, to: it }\n  two: { match: GET /two, to: it, rank: 0 }\n",
    },
    reports: ["unknown-key@4:1", "out-of-range@7:41"],
  },
  {
    it: "a name that is none does not hide what is wrong beneath it",
    authority: masked,
    files: routes("One: { match: GET /one, to: nope }", "two: { match: GET /two, to: it }"),
    reports: ["wrong-format@6:3", "unknown-upstream@6:31"],
  },
  {
    it: "a preset that is not there does not hide duplicate matches",
    authority: recovery,
    files: {
      "t.yaml": "preset: mobil\nroutes:\n  one: { match: GET /one, to: it }\n  two: { match: GET /one, to: it }\n",
      "presets/mobile.yaml": "preset: mobile\nsummary: For apps\nfilters: []\n",
    },
    reports: ["unknown-preset@5:9", "duplicate-match@8:17"],
  },
  {
    it: "a broken preset is reported in its file, and the tier that has it in its own",
    authority: recovery,
    files: {
      "t.yaml": "preset: mobile\nroutes:\n  one: { match: GET /one, to: nope }\n  two: { match: GET /two, to: it }\n",
      "presets/mobile.yaml": "preset: mobile\nsumary: For apps\nfilters: [{ corss: {} }]\n",
    },
    reports: [
      "presets/mobile.yaml unknown-key@2:1",
      "presets/mobile.yaml unknown-filter@3:13",
      "unknown-upstream@7:31",
    ],
  },
  {
    it: "a broken value of an environment is not unknown where a manifest asks for it",
    authority: `${silent}; ${style}`,
    files: {
      "environments/local.yaml": "values: { it-url: 7 }\nfront: { zone: acme.example }\n",
      "t.yaml": `api: postern/v1\ntier: t\nhosts: [api.acme.example]\nupstreams: { it: { http: '\${it-url}' } }\nroutes:\n  one: { match: GET /one, to: nope }\n  two: { match: GET /two, to: it }\n`,
    },
    reports: [
      "environments/local.yaml wrong-type@1:19",
      "environments/local.yaml unknown-key@2:10",
      "unknown-upstream@6:31",
    ],
  },
  {
    it: "a misspelt variable is not a value that nobody asks for",
    authority: silent,
    files: {
      "environments/local.yaml": "values: { it-url: 'https://it.acme.example' }\n",
      "t.yaml": `api: postern/v1\ntier: t\nhosts: [api.acme.example]\nupstreams: { it: { http: '\${it-ulr}' } }\nroutes:\n  one: { match: GET /one, to: it, rank: 0 }\n`,
    },
    reports: ["unknown-variable@4:26", "out-of-range@6:41"],
  },
  {
    it: "two consumers with one key are reported beside a key that is none",
    authority: masked,
    files: {
      "consumers.yaml": `consumers:\n  ann: { keys: [x] }\n  ben: { keys: ["sha256:${"a".repeat(64)}"] }\n  cid: { keys: ["sha256:${"a".repeat(64)}"] }\n`,
      "t.yaml": "routes:\n  one: { match: GET /one, to: it }\n",
    },
    reports: ["consumers.yaml wrong-format@2:17", "consumers.yaml duplicate-id@4:17"],
  },
  {
    it: "a tier that is broken still claims its base, and both claimants are reported",
    authority: style,
    files: {
      "s.yaml": `${frame.replace("tier: t", "tier: s")}routes:\n  one: { match: GET /one, to: it }\n`,
      "t.yaml": "routes:\n  one: { match: GET /one, to: it, rank: 0 }\n",
    },
    reports: ["s.yaml base-claimed-twice@3:9", "base-claimed-twice@3:9", "out-of-range@6:41"],
  },
  {
    it: "a path that is too long only with its base is a problem of the route, and ends no check",
    authority: style,
    files: {
      "t.yaml": `base: /${"a".repeat(700)}\nroutes:\n  one: { match: GET /${"b".repeat(700)}, to: nope }\n  two: { match: GET /two, to: it }\n`,
    },
    reports: ["wrong-format@7:17", "unknown-upstream@7:728"],
  },
  {
    it: "a share, a rate or a percentage without its sign is a problem like any other, and ends no check",
    authority: style,
    files: {
      "t.yaml":
        'limits: { client-share: "25", body-idle: "10" }\nlog: { sample: "5" }\nfilters: [{ rate-limit: { limit: "10", by: ip }, percent: "7" }]\nroutes:\n  one: { match: GET /one, to: it, cutover: { legacy: nope, percent: "1" } }\n',
    },
    reports: [
      "wrong-format@5:25",
      "wrong-format@5:42",
      "wrong-format@6:16",
      "wrong-format@7:34",
      "wrong-format@7:59",
      "unknown-upstream@9:54",
      "wrong-format@9:69",
    ],
  },
  {
    it: "a sunset that is no date is not before anything as well",
    authority: silent,
    files: {
      "t.yaml":
        "routes:\n  one: { match: GET /one, to: nope, deprecated: { since: 2026-01-01, sunset: '2026' } }\n  two: { match: GET /two, to: it }\n",
    },
    reports: ["unknown-upstream@6:31", "invalid@6:78"],
  },
  {
    it: "a misspelt or broken preset is not a preset that no tier has",
    authority: silent,
    files: {
      "t.yaml": "prest: mobile\nroutes:\n  one: { match: GET /one, to: it }\n",
      "s.yaml":
        "api: postern/v1\ntier: s\nhosts: [s.acme.example]\npreset: [open]\nroutes:\n  one: { match: GET /one, respond: { text: ok } }\n",
      "presets/mobile.yaml": "preset: mobile\nsummary: For apps\nfilters: []\n",
      "presets/open.yaml": "preset: open\nsummary: For anybody\nfilters: []\n",
    },
    reports: ["s.yaml wrong-type@4:1", "unknown-key@5:1"],
  },
  {
    it: "a value that nobody asks for is one beside something broken in the environment, and a broken value is not unused",
    authority: masked,
    files: {
      "environments/local.yaml": "values: { spare: x, odd: 7 }\nfront: { zone: acme.example }\n",
      "t.yaml": "routes:\n  one: { match: GET /one, to: it }\n",
    },
    reports: [
      "environments/local.yaml unused-value@1:11",
      "environments/local.yaml wrong-type@1:26",
      "environments/local.yaml unknown-key@2:10",
    ],
  },
];
