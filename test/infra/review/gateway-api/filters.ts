/** What filters of a rule do to requests and responses, CORS included. */
import {
  type Case,
  filtered,
  fullPath,
  prefix,
  redirect,
  replacePrefix,
  rewrite,
  routeTo,
  simple,
} from "./case-helpers.ts";

const modifier = "set: [{ name: X-Set, value: mine }], add: [{ name: X-Add, value: added }], remove: [X-Gone]";

export const filters: Readonly<Record<string, Case>> = {
  "headers of requests are set, added and removed": {
    resources: simple(filtered("/all", `{ type: RequestHeaderModifier, requestHeaderModifier: { ${modifier} } }`)),
    exchanges: [
      ["GET /all", { by: "v1", sees: { "x-set": "mine", "x-add": "added", other: "val" } }, { Other: "val" }],
      [
        "GET /all",
        { by: "v1", sees: { "x-set": "mine", "x-add": "theirs, added", "x-gone": null } },
        { "x-set": "theirs", "x-add": "theirs", "x-gone": "1" },
      ],
    ],
  },
  "headers of responses are set, added and removed": {
    resources: simple(
      filtered(
        "/all",
        `{ type: ResponseHeaderModifier, responseHeaderModifier: { ${modifier} } }, { type: RequestHeaderModifier, requestHeaderModifier: { set: [{ name: X-Req, value: r }] } }`,
      ),
    ),
    exchanges: [
      ["GET /all", { by: "v1", sees: { "x-req": "r" }, gets: { "x-set": "mine", "x-add": "added" } }],
      [
        "GET /all?back=x-set:theirs,x-add:theirs,x-gone:1,other:val",
        { gets: { "x-set": "mine", "x-add": "theirs, added", "x-gone": null, other: "val" } },
      ],
    ],
  },
  "a path is rewritten, as a whole or by its prefix": {
    resources: simple(
      filtered("/full/one", rewrite(fullPath("/one"))),
      filtered("/foo", rewrite(replacePrefix("/xyz"))),
      filtered("/bar/", rewrite(replacePrefix("/xyz/"))),
      filtered("/strip", rewrite(replacePrefix("/"))),
      filtered("/empty", rewrite(replacePrefix('""'))),
      filtered("/", rewrite(replacePrefix("/root"))),
    ),
    exchanges: [
      ["GET /full/one/two?a=1", { by: "v1", path: "/one?a=1" }],
      ["GET /foo/bar?a=1", { path: "/xyz/bar?a=1" }],
      ["GET /foo", { path: "/xyz" }],
      ["GET /foo/", { path: "/xyz/" }],
      ["GET /bar/x", { path: "/xyz/x" }],
      ["GET /strip/three", { path: "/three" }],
      ["GET /strip", { path: "/" }],
      ["GET /strip/", { path: "/" }],
      ["GET /empty/bar", { path: "/bar" }],
      ["GET /empty", { path: "/" }],
      ["GET /else", { path: "/root/else" }],
    ],
  },
  "a host is rewritten: the service reads it in x-forwarded-host": {
    resources: simple(filtered("/one", rewrite("hostname: one.example.org"))),
    exchanges: [["GET /one", { by: "v1", sees: { "x-forwarded-host": "one.example.org" } }]],
  },
  "a redirect changes what it names of the request's own place": {
    resources: simple(
      filtered("/host", redirect("hostname: example.org"), ""),
      filtered("/status", redirect("hostname: example.org, statusCode: 307"), ""),
      filtered("/scheme", redirect("scheme: https, hostname: example.org"), ""),
      filtered("/port", redirect("hostname: example.org, port: 8443"), ""),
      filtered("/usual", redirect("scheme: https, hostname: example.org, port: 443"), ""),
      filtered(
        "/original",
        redirect(`${replacePrefix("/replacement")}, hostname: example.org, port: 80, statusCode: 308`),
        "",
      ),
      filtered("/full", redirect(`${fullPath("/all")}, statusCode: 303`), ""),
    ),
    exchanges: [
      ["GET /host/a", { status: 302, gets: { location: "http://example.org:PORT/host/a" } }],
      ["GET /status", { status: 307, gets: { location: "http://example.org:PORT/status" } }],
      ["GET /scheme", { status: 302, gets: { location: "https://example.org/scheme" } }],
      ["GET /port", { status: 302, gets: { location: "http://example.org:8443/port" } }],
      ["GET /usual", { status: 302, gets: { location: "https://example.org/usual" } }],
      ["GET /original/lemon?a=1", { status: 308, gets: { location: "http://example.org/replacement/lemon?a=1" } }],
      ["GET /original", { status: 308, gets: { location: "http://example.org/replacement" } }],
      ["GET /full/x", { status: 303, gets: { location: "/all" } }],
    ],
  },
  "filters of a rule's one backend run as the rule's own": {
    resources: simple(
      `    - { matches: [${prefix("/re")}], backendRefs: [{ name: v1, port: 80, filters: [${rewrite(replacePrefix("/new"))}] }] }`,
      `    - { matches: [${prefix("/away")}], backendRefs: [{ name: v1, port: 80, filters: [${redirect(replacePrefix("/new"))}] }] }`,
    ),
    exchanges: [
      ["GET /re/x", { by: "v1", path: "/new/x" }],
      ["GET /away/x", { status: 302, gets: { location: "/new/x" } }],
    ],
  },
  "a filter that is not known refuses its requests": {
    resources: simple(
      filtered("/ext", "{ type: ExtensionRef, extensionRef: { group: example.com, kind: Auth, name: it } }"),
    ),
    exchanges: [["GET /ext", 500]],
  },
  "times bound the request and the call of a backend; zero bounds neither": {
    resources: simple(
      routeTo(prefix("/request"), "v1", "timeouts: { request: 1s }"),
      routeTo(prefix("/backend"), "v1", "timeouts: { backendRequest: 1s }"),
      routeTo(prefix("/endless"), "v1", "timeouts: { request: 0s }"),
    ),
    exchanges: [
      ["GET /request", "v1"],
      ["GET /request?delay=3000", 504],
      ["GET /backend", "v1"],
      ["GET /backend?delay=3000", 504],
      ["GET /endless?delay=3000", "v1"],
    ],
  },
};

const cors = (path: string, policy: string) => filtered(path, `{ type: CORS, cors: { ${policy} } }`);
const asksFrom = (origin: string, method = "GET") => ({
  origin,
  "access-control-request-method": method,
  "access-control-request-headers": "x-header-1, x-header-2",
});
const allow = "access-control-allow-";

export const origins: Readonly<Record<string, Case>> = {
  "CORS is said for named origins, for those beneath a host, and for all": {
    resources: simple(
      cors(
        "/named",
        'allowOrigins: ["https://www.foo.com", "https://*.bar.com"], allowMethods: [GET, OPTIONS], allowHeaders: [x-header-1, x-header-2], exposeHeaders: [x-header-3], allowCredentials: true, maxAge: 3600',
      ),
      cors("/methods", 'allowOrigins: ["https://www.foo.com"], allowMethods: ["*"]'),
      cors("/all", 'allowOrigins: ["*"], allowMethods: [PUT], allowHeaders: ["*"]'),
      cors("/trusting", 'allowOrigins: ["*"], allowMethods: ["*"], allowHeaders: ["*"], allowCredentials: true'),
    ),
    exchanges: [
      [
        "OPTIONS /named",
        {
          status: 204,
          gets: {
            [`${allow}origin`]: "https://www.foo.com",
            [`${allow}methods`]: "GET, OPTIONS",
            [`${allow}headers`]: "x-header-1, x-header-2",
            [`${allow}credentials`]: "true",
            "access-control-expose-headers": "x-header-3",
            "access-control-max-age": "3600",
          },
        },
        asksFrom("https://www.foo.com"),
      ],
      [
        "OPTIONS /named",
        { status: 204, gets: { [`${allow}origin`]: "https://a.www.bar.com" } },
        asksFrom("https://a.www.bar.com"),
      ],
      ["OPTIONS /named", { status: 204, gets: { [`${allow}origin`]: null } }, asksFrom("https://foobar.com")],
      [
        "GET /named",
        { by: "v1", gets: { [`${allow}origin`]: "https://www.bar.com" } },
        { origin: "https://www.bar.com" },
      ],
      ["GET /named", { by: "v1", gets: { [`${allow}origin`]: null } }, { origin: "https://foobar.com" }],
      [
        "OPTIONS /methods",
        { status: 204, gets: { [`${allow}methods`]: "POST", [`${allow}credentials`]: null } },
        asksFrom("https://www.foo.com", "POST"),
      ],
      [
        "OPTIONS /all",
        {
          status: 204,
          gets: { [`${allow}origin`]: "*", [`${allow}methods`]: "PUT", [`${allow}headers`]: "x-header-1, x-header-2" },
        },
        asksFrom("https://any.com:12345", "PUT"),
      ],
      [
        "PUT /all",
        { by: "v1", gets: { [`${allow}origin`]: "*", [`${allow}credentials`]: null } },
        { origin: "https://any.com" },
      ],
      [
        "OPTIONS /trusting",
        {
          status: 204,
          gets: { [`${allow}origin`]: "https://any.com", [`${allow}methods`]: "PUT", [`${allow}credentials`]: "true" },
        },
        asksFrom("https://any.com", "PUT"),
      ],
    ],
  },
};
