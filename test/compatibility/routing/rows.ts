/** Requests, and the route that takes each: trailing slashes, literal and captured segments, encoded slashes. */
import type { Row } from "../row.ts";

export interface RoutingRow extends Row {
  /** `GET /x/flows/`, as it stands on the wire. */
  readonly sends: string;
  /** What the service receives, or the status and code of the gate. */
  readonly gets: string;
}

/** One tier of a whole host, one under a base, and one whose base another one's values could hide. */
export const manifests = {
  x: `base: /x
routes:
  base: { match: GET /, to: it, path: /base }
  base-slash: { match: "GET /{$}", to: it, path: /base-slash }
  flows: { match: GET /flows, to: it }
  flows-slash: { match: "GET,POST /flows/", to: it }
  flow: { match: "GET /flows/{id}", to: it, path: "/flow/{path.id}" }
  flow-slash: { match: "GET /flows/{id}/", to: it, path: "/flow-slash/{path.id}" }
  only-slash: { match: "GET /only/", to: it }
  tail: { match: "GET /tail{/rest*}", to: it }
`,
  verbs: `base: /v1
routes:
  job: { match: "GET,POST /jobs/{id}", to: it, path: "/job/{path.id}" }
  cancel: { match: "POST /jobs/{id}:cancel", to: it, path: "/cancel/{path.id}" }
  run: { match: "POST /jobs/{id:[0-9]+}:run", to: it, path: "/run/{path.id}" }
  any-verb: { match: "POST /jobs/{id}:{verb}", to: it, path: "/verb/{path.verb}/{path.id}" }
  all: { match: "POST /jobs:batchGet", to: it, path: /batch-get }
  report: { match: "GET /reports/{name}.{format}", to: it, path: "/report/{path.name}/{path.format}" }
  latest: { match: "GET /reports/latest.json", to: it, path: /latest }
  post: { match: "GET /posts/{id:[0-9]+}-{slug}", to: it, path: "/post/{path.id}/{path.slug}" }
  version: { match: "GET /sdk/v{major}.{minor}/notes", to: it, path: "/notes/{path.major}/{path.minor}" }
  user: { match: "GET /@{user}", to: it, path: "/user/{path.user}" }
  entity: { match: "GET /Users({id})", to: it, path: "/entity/{path.id}" }
  compare: { match: "GET /compare/{base}...{head}", to: it, path: "/compare/{path.base}/{path.head}" }
  tile: { match: "GET /tiles/{z}/{x}/{y}@2x.png", to: it, path: "/tile/{path.z}/{path.x}/{path.y}" }
`,
  objects: `base: /o
routes:
  object: { match: "GET /{bucket}/{key}", encoded-slashes: keep, to: it, path: "/object/{path.bucket}/{path.key}" }
  named: { match: "GET /{bucket}/acl", to: it, path: "/acl/{path.bucket}" }
  files: { match: "GET /files/tree/{rest*}", encoded-slashes: keep, to: it }
  parts: { match: "POST /{bucket}/{key}:complete", encoded-slashes: keep, isolation: route, to: it, path: "/complete/{path.key}" }
  plain: { match: "GET /{bucket}/{key}/tags", to: it }
`,
  deep: `base: /o/deep
routes:
  all: { match: "ANY /{rest*}", to: it, path: "/deep/{path.rest}" }
`,
} as const;

const rfc3986 = "RFC 3986, 6.2.3 and 3.3";
const aip136 = "AIP-136; google.api.http, HttpRule";
const oas = "OpenAPI 3.1.1, Path Templating";
const envoy = "Envoy, path_with_escaped_slashes_action; CVE-2021-29492";
const rfc6570 = "RFC 6570, 3.2.2";

const ambiguous = "400 path-ambiguous";
const unknown = "404 route-unknown";

export const rows: readonly RoutingRow[] = [
  {
    it: "a slash at the end makes another path: with it",
    authority: `${rfc3986}; Prefect's document, GET /flows/`,
    sends: "GET /x/flows/",
    gets: "GET /x/flows/",
  },
  {
    it: "a slash at the end makes another path: without it",
    authority: rfc3986,
    sends: "GET /x/flows",
    gets: "GET /x/flows",
  },
  {
    it: "a slash at the end of a path with no such route is another path",
    authority: `${rfc3986}; Go, net/http ServeMux`,
    sends: "GET /x/only",
    gets: unknown,
  },
  {
    it: "a slash at the end, by another method than the path without it has",
    authority: rfc3986,
    sends: "POST /x/flows/",
    gets: "POST /x/flows/",
  },
  {
    it: "the path without the slash is of other methods",
    authority: rfc3986,
    sends: "POST /x/flows",
    gets: "405 method-not-allowed",
  },
  { it: "a slash behind a captured segment", authority: oas, sends: "GET /x/flows/7/", gets: "GET /flow-slash/7" },
  { it: "a captured segment without a slash behind it", authority: oas, sends: "GET /x/flows/7", gets: "GET /flow/7" },
  { it: "no empty segment is captured", authority: rfc6570, sends: "GET /x/flows//", gets: ambiguous },
  {
    it: "/ under a base is the base, as postern/v1 has always read it",
    authority: "docs/manifest.md, postern/v1",
    sends: "GET /x",
    gets: "GET /base",
  },
  {
    it: "/{$} under a base is the base with a slash, which is where a document's / is",
    authority: `Go, net/http ServeMux, {$}; ${oas}: the path is appended to the server's URL`,
    sends: "GET /x/",
    gets: "GET /base-slash",
  },
  {
    it: "an optional rest takes the path without a slash",
    authority: "RFC 6570, 3.2.6",
    sends: "GET /x/tail",
    gets: "GET /x/tail",
  },
  {
    it: "an optional rest takes the slash alone",
    authority: "RFC 6570, 3.2.6",
    sends: "GET /x/tail/",
    gets: "GET /x/tail/",
  },
  {
    it: "a custom verb is separate from the resource",
    authority: aip136,
    sends: "POST /v1/jobs/42:cancel",
    gets: "POST /cancel/42",
  },
  {
    it: "an id may hold a colon ahead of the verb",
    authority: aip136,
    sends: "POST /v1/jobs/a:b:cancel",
    gets: "POST /cancel/a:b",
  },
  {
    it: "a verb with no id ahead of it is no verb",
    authority: `${aip136}; RFC 3986, 3.3`,
    sends: "POST /v1/jobs/:cancel",
    gets: "POST /job/:cancel",
  },
  {
    it: "a verb that goes on is another verb",
    authority: aip136,
    sends: "POST /v1/jobs/42:cancelled",
    gets: "POST /verb/cancelled/42",
  },
  {
    it: "a pattern ahead of a verb holds for the id alone",
    authority: oas,
    sends: "POST /v1/jobs/42:run",
    gets: "POST /run/42",
  },
  {
    it: "where the pattern does not hold, a less specific segment takes it",
    authority: oas,
    sends: "POST /v1/jobs/x:run",
    gets: "POST /verb/run/x",
  },
  {
    it: "an encoded colon is no colon of a verb",
    authority: "RFC 3986, 2.2: reserved characters differ from their encodings",
    sends: "POST /v1/jobs/42%3Acancel",
    gets: "POST /job/42%3Acancel",
  },
  {
    it: "a verb of a collection is a literal",
    authority: aip136,
    sends: "POST /v1/jobs:batchGet",
    gets: "POST /batch-get",
  },
  {
    it: "a verb by another method falls to the resource, whose id holds a colon",
    authority: "RFC 3986, 3.3",
    sends: "GET /v1/jobs/42:cancel",
    gets: "GET /job/42:cancel",
  },
  {
    it: "a name and its format",
    authority: `${oas}; RFC 6570, 3.2.5`,
    sends: "GET /v1/reports/sales.csv",
    gets: "GET /report/sales/csv",
  },
  {
    it: "of several dots the last one is the format's",
    authority: "ASP.NET Core, complex segments: matched from right to left",
    sends: "GET /v1/reports/2026.11.csv",
    gets: "GET /report/2026.11/csv",
  },
  {
    it: "a literal beats a segment of text and captures",
    authority: `${oas}: concrete paths are matched before their templated counterparts`,
    sends: "GET /v1/reports/latest.json",
    gets: "GET /latest",
  },
  { it: "a format with no name is none", authority: rfc6570, sends: "GET /v1/reports/.csv", gets: unknown },
  {
    it: "an id of digits ends at the first hyphen, and the slug keeps its own",
    authority: "Rails and Discourse: /posts/:id-:slug",
    sends: "GET /v1/posts/7-a-fine-day",
    gets: "GET /post/7/a-fine-day",
  },
  {
    it: "text ahead of and between captures",
    authority: oas,
    sends: "GET /v1/sdk/v2.13/notes",
    gets: "GET /notes/2/13",
  },
  {
    it: "an at sign ahead of a capture",
    authority: "Mastodon's API and profiles: /@user",
    sends: "GET /v1/@ann",
    gets: "GET /user/ann",
  },
  {
    it: "parentheses about a key",
    authority: "OData 4.01, URL Conventions, 4.3.1",
    sends: "GET /v1/Users(7)",
    gets: "GET /entity/7",
  },
  {
    it: "several characters between two captures",
    authority: "GitHub's REST API: /compare/{base}...{head}",
    sends: "GET /v1/compare/v1.0...v1.1",
    gets: "GET /compare/v1.0/v1.1",
  },
  {
    it: "text behind the last capture",
    authority: "Mapbox, Raster Tiles API: {y}@2x.png",
    sends: "GET /v1/tiles/1/2/3@2x.png",
    gets: "GET /tile/1/2/3",
  },
  {
    it: "an encoded slash is part of the value where a route keeps it",
    authority: envoy,
    sends: "GET /o/photos/2026%2Fa.jpg",
    gets: "GET /object/photos/2026%2Fa.jpg",
  },
  {
    it: "an encoded slash in lower case is passed on in upper case",
    authority: "RFC 3986, 6.2.2.1",
    sends: "GET /o/photos/2026%2fa.jpg",
    gets: "GET /object/photos/2026%2Fa.jpg",
  },
  {
    it: "a URL is a value",
    authority: "GitLab's REST API: namespaced paths are URL-encoded",
    sends: "GET /o/pages/https%3A%2F%2Fa.example%2Fb",
    gets: "GET /object/pages/https%3A%2F%2Fa.example%2Fb",
  },
  {
    it: "an encoded slash does not lead to a route that does not keep it, though that one is more specific",
    authority: envoy,
    sends: "GET /o/photos/2026%2Fa.jpg/tags",
    gets: ambiguous,
  },
  {
    it: "an encoded slash is not a separator for a literal behind it",
    authority: envoy,
    sends: "GET /o/photos%2Facl",
    gets: ambiguous,
  },
  {
    it: "an encoded slash is not a separator for the front: the tier of the longer base does not take it",
    authority: envoy,
    sends: "GET /o/deep%2Fa/b",
    gets: "GET /object/deep%2Fa/b",
  },
  {
    it: "a tier none of whose routes keeps encoded slashes is never called",
    authority: envoy,
    sends: "GET /o/deep/a%2Fb",
    gets: ambiguous,
  },
  {
    it: "a dot segment behind an encoded slash is refused",
    authority: "CWE-22; Envoy, path_with_escaped_slashes_action",
    sends: "GET /o/photos/..%2Facl",
    gets: ambiguous,
  },
  {
    it: "encoded dots behind an encoded slash are refused",
    authority: "CWE-22; RFC 3986, 6.2.2.2",
    sends: "GET /o/photos/a%2F%2e%2E",
    gets: ambiguous,
  },
  {
    it: "a slash that is encoded twice is refused",
    authority: "CWE-174; CVE-2021-31920",
    sends: "GET /o/photos/a%252Fb",
    gets: ambiguous,
  },
  {
    it: "an encoded backslash stays refused",
    authority: "CVE-2021-31920",
    sends: "GET /o/photos/a%5Cb",
    gets: ambiguous,
  },
  {
    it: "an encoded slash in the rest of a path",
    authority: envoy,
    sends: "GET /o/files/tree/main/a%2Fb",
    gets: "GET /o/files/tree/main/a%2Fb",
  },
  {
    it: "an encoded slash ahead of a verb",
    authority: `${envoy}; ${aip136}`,
    sends: "POST /o/photos/2026%2Fa.jpg:complete",
    gets: "POST /complete/2026%2Fa.jpg",
  },
  {
    it: "the method of a path with an encoded slash is looked at as ever",
    authority: "RFC 9110, 15.5.6",
    sends: "DELETE /o/photos/a%2Fb",
    gets: "405 method-not-allowed",
  },
  {
    it: "HEAD is served by GET where a slash is encoded",
    authority: "RFC 9110, 9.3.2",
    sends: "HEAD /o/photos/a%2Fb",
    gets: "HEAD /object/photos/a%2Fb",
  },
];
