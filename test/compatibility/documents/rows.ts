/** OpenAPI documents as people really write them, each in a few lines, and the right result of an import. */
import type { Row } from "../row.ts";

export interface DocumentRow extends Row {
  /** Files by name; the first one is imported. A text, or bytes in base64. */
  readonly files: Readonly<Record<string, string | { readonly base64: string }>>;
  /** `GET /a`, and behind it the filters that the route drops: `GET /a -api-key`. */
  readonly routes?: readonly string[];
  /** `where: what` of what is listed, in part. */
  readonly listed?: readonly string[];
  /** The message that refuses it, in part, and its remedy, in part. */
  readonly refused?: readonly [message: string, remedy: string];
}

const head = (version = "3.1.0") => `openapi: ${version}
info: { title: Shop, version: "1" }
servers: [{ url: https://shop.internal }]
`;
const key = `components: { securitySchemes: { key: { type: apiKey, in: header, name: X-Key }, people: { type: openIdConnect, openIdConnectUrl: https://id.example/.well-known/openid-configuration } } }
security: [{ key: [] }]
`;
const one = (paths: string, version?: string) => ({ "shop.yaml": `${head(version)}${key}paths:\n${paths}` });
const withPattern = (pattern: string, more = "") => ({
  "shop.yaml": `${head()}paths:
  /a:
    post:
      parameters: [{ name: q, in: query, schema: { type: string, pattern: ${JSON.stringify(pattern)} } }, { name: n, in: query, schema: { type: integer } }]
      requestBody: { content: { application/json: { schema: { type: object${more} } } } }
`,
});
const paths = `${head()}paths: { /a: { get: {} } }\n`;
const utf16 = (text: string, isBig: boolean): string => {
  const bytes = Buffer.from(`\ufeff${text}`, "utf16le");
  return (isBig ? bytes.swap16() : bytes).toString("base64");
};
const countries = Array.from({ length: 240 }, (_, at) => String.fromCharCode(65 + (at % 26), 65 + Math.floor(at / 26)));
const oas = (section: string) => `OpenAPI 3.1.1, ${section}`;
const oas32 = (section: string) => `OpenAPI 3.2.0, ${section}`;

export const rows: readonly DocumentRow[] = [
  {
    it: "an operation that is a reference has the parameters, the body and the security of what it names",
    authority: "DigitalOcean's public document, specification/DigitalOcean-public.v2.yaml",
    files: {
      "shop.yaml": `${head()}${key.replace("components: {", "components: { x-operations: { list: { operationId: list, security: [{ key: [] }], parameters: [{ in: query, name: n, schema: { type: integer, format: odd } }] } },")}paths:\n  /a: { get: { $ref: "#/components/x-operations/list" } }\n`,
    },
    routes: ["GET /a"],
    listed: ['n: the format "odd" is not checked'],
  },
  {
    it: "operations in files beside the document are read, and the files of those",
    authority: "DigitalOcean's public document, resources/**/*.yml",
    files: {
      "shop.yaml": `${head()}components: { securitySchemes: { key: { $ref: "shared/security.yml#/key" } } }\nsecurity: [{ key: [] }]\npaths:\n  /a: { get: { $ref: "resources/a/list.yml" } }\n`,
      "resources/a/list.yml": `operationId: a-list\nparameters: [{ $ref: "../../shared/n.yml" }]\nresponses: { "200": { $ref: "none.yml" } }\n`,
      "shared/n.yml": "in: query\nname: n\nschema: { $ref: '#/x' }\nx: { type: integer, format: odd }\n",
      "shared/security.yml": "key: { type: apiKey, in: header, name: X-Key }\n",
    },
    routes: ["GET /a"],
    listed: ['the format "odd" is not checked'],
  },
  {
    it: "path items in files beside the document, with what stands beside the reference",
    authority: "Directus, openapi/index.yaml",
    files: {
      "shop.yaml": `${head()}${key}paths:\n  /a: { $ref: paths/a.yaml, parameters: [{ in: query, name: n, schema: { type: string, format: odd } }] }\n`,
      "paths/a.yaml": "get: {}\npost: { $ref: ./post.yaml }\n",
      "paths/post.yaml": "security: []\n",
    },
    routes: ["GET /a", "POST /a -api-key"],
    listed: ['n: the format "odd" is not checked'],
  },
  {
    it: "an operation whose reference has no target becomes no route, and is listed",
    authority: "issue 19, 4: an operation that is a $ref becomes an open route",
    files: one('  /a: { get: { $ref: "#/x" }, post: {} }\n'),
    routes: ["POST /a"],
    listed: ["GET /a: the operation cannot be read: #/x has no target"],
  },
  {
    it: "a reference to another host is not followed, and is listed",
    authority: oas("4.3, Reference Object: nothing is fetched for a build"),
    files: one('  /a: { $ref: "https://elsewhere.example/a.yaml" }\n  /b: { get: {} }\n'),
    routes: ["GET /b"],
    listed: ["/a: the path item cannot be read: https://elsewhere.example/a.yaml refers to another document"],
  },
  {
    it: "a file outside of the document's folder is not read",
    authority: "CWE-22; issue 19, 4",
    files: one('  /a: { get: { $ref: "../../../etc/passwd" } }\n  /b: { get: {} }\n'),
    routes: ["GET /b"],
    listed: ["GET /a: the operation cannot be read: ../../../etc/passwd refers to another document"],
  },
  {
    it: "references that lead in a circle are listed, and end",
    authority: oas("4.8.23, Reference Object"),
    files: one('  /a: { $ref: "#/paths/~1b" }\n  /b: { $ref: "#/paths/~1a" }\n  /c: { get: {} }\n'),
    routes: ["GET /c"],
    listed: ["/a: the path item cannot be read", "/b: the path item cannot be read"],
  },
  {
    it: "pointers with escapes, and a chain of references, lead to a path item",
    authority: "RFC 6901, 3 and 6",
    files: {
      "shop.yaml": `${head()}components: { pathItems: { b: { $ref: "#/paths/~1b~0c" } } }\npaths:\n  /a/{id}: { $ref: "#/components/pathItems/b" }\n  /b~c: { get: {} }\n  /e: { $ref: "#/paths/~1a~1%7Bid%7D" }\n`,
    },
    routes: ["GET /a/{id}", "GET /b~c", "GET /e"],
  },
  {
    it: "security that names no scheme of the document closes the operation: no route is made of it",
    authority: oas("4.8.30, Security Requirement Object: each name MUST correspond to a security scheme"),
    files: one("  /a: { get: { security: [{ kee: [] }] }, post: {} }\n"),
    routes: ["POST /a"],
    listed: ['GET /a: its security cannot be read: no scheme of the document is called "kee"'],
  },
  {
    it: "security that is not a list closes the operation",
    authority: oas("4.8.10, Operation Object: security is a list"),
    files: one("  /a: { get: { security: { key: [] } }, post: { security: }, put: { security: [key] }, patch: {} }\n"),
    routes: ["PATCH /a"],
    listed: ["GET /a: its security cannot be read", "POST /a: its security", "PUT /a: its security"],
  },
  {
    it: "a broken requirement of the whole document closes all that inherit it, and not those with their own",
    authority: oas("4.8.1, OpenAPI Object: security"),
    files: { "shop.yaml": `${head()}security: [{ none: [] }]\npaths: { /a: { get: {}, post: { security: [] } } }\n` },
    routes: ["POST /a"],
    listed: ["GET /a: its security cannot be read"],
  },
  {
    it: "an empty requirement makes security optional, and is listed as that",
    authority: oas("4.8.30, Security Requirement Object: {} makes it optional"),
    files: one("  /a: { get: { security: [{ key: [] }, {}] }, post: {} }\n"),
    routes: ["GET /a -api-key", "POST /a"],
    listed: ["GET /a: security key is optional"],
  },
  {
    it: "alternatives and combinations of schemes stay behind the filter that there is, and are listed",
    authority: "ReadMe's oas-examples, security-multiple",
    files: one(
      "  /a: { get: { security: [{ key: [] }, { people: [] }] }, post: { security: [{ key: [], people: [] }] }, put: {} }\n",
    ),
    routes: ["GET /a", "POST /a", "PUT /a"],
    listed: ["security key or people: no filter checks it", "security key and people: no filter checks it"],
  },
  {
    it: "scopes that no filter checks are listed",
    authority: "OpenAPI Initiative's example non-oauth-scopes",
    files: {
      "shop.yaml": `${head()}${key.replace("security: [{ key: [] }]\n", "")}paths: { /a: { get: { security: [{ people: [read, write] }] } } }\n`,
    },
    routes: ["GET /a"],
    listed: ["GET /a: the scopes read, write are not checked"],
  },
  {
    it: "a pattern that is quadratic is listed and left unchecked, and only that one",
    authority: "lakeFS, api/swagger.yml: CopyPartSource.range",
    files: withPattern("^bytes=((\\d*-\\d*,? ?)+)$"),
    routes: ["POST /a"],
    listed: ['q: the pattern "^bytes=((\\d*-\\d*,? ?)+)$" takes very long for some texts; it is not checked'],
  },
  {
    it: "a pattern without its ^ that reads on is listed",
    authority: "Box, openapi.json: AiAgentBasicTextTool.prompt_template",
    files: withPattern("(\\{user_question\\}[\\s\\S]*?\\{content\\}|\\{content\\}[\\s\\S]*?\\{user_question\\})"),
    routes: ["POST /a"],
    listed: ["takes very long for some texts"],
  },
  {
    it: "two counted parts that share their characters are quick, and checked",
    authority: "Ideal Postcodes, dist/openapi.json: emails",
    files: withPattern("^\\S{1,100}@\\S{1,100}$"),
    routes: ["POST /a"],
    listed: [],
  },
  {
    it: "hundreds of alternatives are quick, and checked",
    authority: "Prefect, schema.json: RRuleSchedule.timezone; ISO 3166 country codes",
    files: withPattern(`^(${countries.join("|")})(,(${countries.join("|")}))*$`),
    routes: ["POST /a"],
    listed: [],
  },
  {
    it: "\\- and \\_ outside of classes are themselves",
    authority: "ECMA-262, Annex B.1.2; Kong's metering: Numeric",
    files: withPattern("^\\-?[0-9]+(\\.[0-9]+)?\\_x$"),
    routes: ["POST /a"],
    listed: [],
  },
  {
    it: "a pattern of another dialect is listed, not read as something else",
    authority: "JSON Schema 2020-12, 6.3.3: ECMA-262",
    files: withPattern("^\\d{2}\\Z"),
    routes: ["POST /a"],
    listed: ['the pattern "^\\d{2}\\Z" cannot be read: \\Z is of another dialect'],
  },
  {
    it: "the boolean bound of 3.0 in a document of 3.1 is listed, and the bound beside it counts",
    authority: "OpenAI, openapi.yaml: FineTuneDPOHyperparameters.beta",
    files: withPattern("^a$", ", properties: { beta: { type: number, minimum: 0, exclusiveMinimum: true } }"),
    routes: ["POST /a"],
    listed: ["beta: exclusiveMinimum is a number; it is not checked"],
  },
  {
    it: "$recursiveRef of 2019-09 is listed",
    authority: "OpenAI, openapi.yaml: CompoundFilter",
    files: withPattern(
      "^a$",
      ", $recursiveAnchor: true, properties: { filters: { type: array, items: { $recursiveRef: '#' } } }",
    ),
    routes: ["POST /a"],
    listed: ["$recursiveRef; it is not checked", "$recursiveAnchor; it is not checked"],
  },
  {
    it: "a schema that is null is listed",
    authority: "Directus, @directus/specs: POST /items/{collection}",
    files: one("  /a: { post: { requestBody: { content: { application/json: { schema: null } } } } }\n"),
    routes: ["POST /a"],
    listed: ["the body of POST /a is not a schema; it is not checked"],
  },
  {
    it: "a schema whose reference leads nowhere leaves the requests of that route unchecked, listed, and only of that one",
    authority: "issue 19, 4: nothing is dropped silently",
    files: one(
      '  /a: { post: { requestBody: { content: { application/json: { schema: { $ref: "#/components/schemas/None" } } } } } }\n  /b: { post: { requestBody: { content: { application/json: { schema: { type: object } } } } } }\n',
    ),
    routes: ["POST /a -validate", "POST /b"],
    listed: ["#/components/schemas/None has no target", "POST /a: its requests are not checked"],
  },
  {
    it: "paths that end in a slash are other paths than those that do not",
    authority: "Prefect, schema.json: 19 of its operations",
    files: one("  /flows/: { post: {} }\n  /flows: { post: {} }\n"),
    routes: ["POST /flows/", "POST /flows"],
  },
  {
    it: "custom verbs and extensions of a segment are matched",
    authority: "Google AIP-136; Box: thumbnail.{extension}",
    files: one("  /a/{id}:cancel: { post: {} }\n  /a/thumbnail.{ext}: { get: {} }\n"),
    routes: ["POST /a/{id}:cancel", "GET /a/thumbnail.{ext}"],
    listed: [],
  },
  {
    it: "two operations of one URL that a fragment or a query tells apart: the second is listed",
    authority: "Box: /files/{file_id}#add_shared_link; OpenAI: /responses?beta=true",
    files: one("  /a/{id}: { put: {} }\n  /a/{id}#share: { put: {} }\n  /a?beta=true: { get: {} }\n"),
    routes: ["PUT /a/{id}"],
    listed: [
      "PUT /a/{id}#share: a fragment (#) is not part of a request",
      "GET /a?beta=true: a query is not part of a path",
    ],
  },
  {
    it: "a path without its slash is listed, not cut",
    authority: oas("4.8.8, Paths Object: a path MUST begin with a slash"),
    files: one("  pets: { get: {} }\n  /b: { get: {} }\n"),
    routes: ["GET /b"],
    listed: ["GET pets: a path begins with /"],
  },
  {
    it: "unknown words of path items and operations are listed: a method or a parameter list that is mistyped",
    authority: oas("4.8.9 and 4.8.10"),
    files: one("  /a: { get: { paramaters: [] }, gett: {} }\n"),
    routes: ["GET /a"],
    listed: ['/a: "gett" is not a key of a path item', 'GET /a: "paramaters" is not a key of an operation'],
  },
  {
    it: "a parameter of an operation takes the place of the path's, and one that cannot be read is listed",
    authority: oas("4.8.9, Path Item Object: parameters can be overridden"),
    files: one(
      "  /a:\n    parameters: [{ in: query, name: n, schema: { format: odd } }, { $ref: '#/x' }]\n    get: { parameters: [{ in: query, name: n, schema: { format: even } }, { in: body, name: b }] }\n",
    ),
    routes: ["GET /a"],
    listed: [
      'n: the format "even"',
      "/a: the parameter #/x cannot be read",
      "GET /a: the parameter b of the body is not checked: a request has no such location",
    ],
  },
  {
    it: "callbacks and webhooks are calls of the service's own, and extensions are not read: all listed",
    authority: oas("4.8.18, Callback Object; 4.9, Specification Extensions"),
    files: {
      "shop.yaml": `${head()}x-tagGroups: []\nwebhooks: { paid: { post: {} } }\npaths: { /a: { post: { x-codegen: 1, callbacks: { paid: {} } } } }\n`,
    },
    routes: ["POST /a"],
    listed: [
      "webhooks: calls of the service's own",
      "POST /a: callbacks are calls",
      "x-codegen: extensions are not read",
      "x-tagGroups: extensions",
    ],
  },
  {
    it: "a byte order mark is none of the document: JSON in UTF-8",
    authority: "RFC 8259, 8.1; Dialogporten, docs/schema/V1/swagger.verified.json",
    files: {
      "shop.json": `\ufeff${JSON.stringify({ openapi: "3.0.0", servers: [{ url: "https://shop.internal" }], paths: { "/a": { get: {} } } })}`,
    },
    routes: ["GET /a"],
  },
  {
    it: "YAML in UTF-16, little end first",
    authority: "YAML 1.2.2, 5.2: character encodings",
    files: { "shop.yaml": { base64: utf16(paths, false) } },
    routes: ["GET /a"],
  },
  {
    it: "YAML in UTF-16, big end first",
    authority: "YAML 1.2.2, 5.2: character encodings",
    files: { "shop.yaml": { base64: utf16(paths, true) } },
    routes: ["GET /a"],
  },
  {
    it: "a text of another encoding is refused with what to do",
    authority: "RFC 8259, 8.1: UTF-8",
    files: { "shop.yaml": { base64: Buffer.from(paths.replace("Shop", "M\xfcnze"), "latin1").toString("base64") } },
    refused: ["is not valid UTF-8", "save it as UTF-8"],
  },
  {
    it: "a document of webhooks alone writes nothing, and says why",
    authority: "OpenAPI Initiative's webhook-example",
    files: { "shop.yaml": `${head()}webhooks: { paid: { post: {} } }\n` },
    refused: ["has no operation in `paths`; webhooks are calls of the service's own", "nothing was written"],
  },
  {
    it: "a document of which no route can be made writes nothing, and says why",
    authority: "issue 19, 4: a document without paths writes a broken manifest",
    files: one("  /a: { trace: {} }\n"),
    refused: ["TRACE /a: left out: no gateway passes TRACE on", "nothing was written"],
  },
  {
    it: "Swagger 2.0 is refused with the way to convert it",
    authority: "OpenAPI Initiative's example petstore of 2.0",
    files: { "shop.yaml": "swagger: '2.0'\npaths: {}\n" },
    refused: ["is a Swagger 2.0 document", "npx swagger2openapi"],
  },
  {
    it: "a version that YAML reads as a number is read",
    authority: "YAML 1.2.2, 10.3: core schema",
    files: { "shop.yaml": paths.replace("3.1.0", "3.1") },
    routes: ["GET /a"],
  },
  {
    it: "3.2 is read: QUERY and further methods are listed by name",
    authority: oas32("4.9, Path Item Object: query, additionalOperations"),
    files: one("  /a: { get: {}, query: {}, additionalOperations: { COPY: {} } }\n", "3.2.0"),
    routes: ["GET /a"],
    listed: ["QUERY /a: no match has the method QUERY", "COPY /a: no match has the method COPY"],
  },
  {
    it: "3.2: a parameter that is the whole query string is read; the words of sequences and parts are listed",
    authority: oas32("4.12.1 and 4.14, querystring, itemSchema, prefixEncoding"),
    files: one(
      "  /a: { post: { parameters: [{ in: querystring, name: q, content: { application/json: { schema: {} } } }], requestBody: { content: { application/jsonl: { itemSchema: {} }, multipart/mixed: { prefixEncoding: [] } } } } }\n",
      "3.2.0",
    ),
    routes: ["POST /a"],
    listed: [
      "POST /a: bodies of application/jsonl are not checked: no gate reads their items one by one",
      "POST /a: prefixEncoding of multipart/mixed is not checked",
    ],
  },
  {
    it: "bodies of which a gate reads nothing are listed by their media type, those that a schema describes as left out",
    authority: oas(
      "4.8.14, Media Type Object; 4.8.15.1.3, encoding multipart media types: multipart/mixed, multipart/related",
    ),
    files: one(
      `  /a:
    post:
      requestBody:
        content:
          multipart/mixed: { schema: { type: object, properties: { meta: { type: object }, file: { type: string, format: binary } } } }
          multipart/related: { schema: { type: array, items: {} }, encoding: { a: { headers: { X-Rate: {} } } } }
          text/plain: { schema: { type: string, maxLength: 9 } }
          text/xml: { schema: { type: object } }
          application/octet-stream: { schema: { type: string, format: binary, maxLength: 9 } }
    put:
      requestBody:
        content:
          multipart/mixed: {}
          multipart/related: { encoding: { a: { contentType: image/png } } }
          text/plain: { schema: { type: string } }
          application/octet-stream: { schema: { type: string, format: binary } }
          image/*: { schema: {} }
`,
    ),
    routes: ["POST /a", "PUT /a"],
    listed: [
      ...["multipart/mixed", "multipart/related", "text/plain", "text/xml", "application/octet-stream"].map(
        (type) => `POST /a: bodies of ${type} are not checked: no gate reads this media type`,
      ),
      "PUT /a: bodies of multipart/mixed are forwarded unread: the document has no schema for them",
      "PUT /a: encoding of multipart/related is not checked",
      "PUT /a: bodies of multipart/related are forwarded unread: the document has no schema for them",
      "PUT /a: bodies of text/plain are forwarded unread: their schema accepts any value",
      "PUT /a: bodies of application/octet-stream are forwarded unread: their schema accepts any value",
      "PUT /a: bodies of image/* are forwarded unread: their schema accepts any value",
    ],
  },
  {
    it: "3.2: references by $self, and media types of components, are followed; a deprecated scheme is listed",
    authority: oas32("4.1, OpenAPI Object: $self; 4.7, mediaTypes; 4.27, deprecated"),
    files: {
      "shop.yaml": `${head("3.2.0")}$self: https://shop.example/api.yaml\ncomponents:\n  mediaTypes: { order: { schema: { type: object, properties: { n: { format: odd } } } } }\n  securitySchemes: { key: { type: apiKey, in: header, name: X-Key, deprecated: true } }\nsecurity: [{ "https://shop.example/api.yaml#/components/securitySchemes/key": [] }]\npaths: { /a: { post: { requestBody: { content: { application/json: { $ref: "https://shop.example/api.yaml#/components/mediaTypes/order" } } } } } }\n`,
    },
    routes: ["POST /a"],
    listed: ['n: the format "odd"', "the scheme is deprecated"],
  },
  {
    it: "a server that is not a whole URL is listed with the remedy",
    authority: oas("4.8.5, Server Object: url MAY be relative; Swagger petstore3"),
    files: { "shop.yaml": `openapi: 3.0.4\nservers: [{ url: /api/v3 }]\npaths: { /a: { get: {} } }\n` },
    routes: ["GET /a"],
    listed: ["servers: /api/v3 is not a whole URL, so paths stay as they are; --base /api/v3"],
  },
  {
    it: "merge keys of YAML are read",
    authority: "yaml.org, type merge; documents that share responses by <<",
    files: {
      "shop.yaml": `${head()}${key}x-shared: &shared { security: [] }\npaths: { /a: { get: { <<: *shared, operationId: a } } }\n`,
    },
    routes: ["GET /a"],
    listed: ["x-shared: extensions are not read"],
  },
  {
    it: "a document that is nested without end is refused",
    authority: "RFC 8259, 9: an implementation may set limits on the maximum depth of nesting",
    files: {
      "shop.json": `{"openapi":"3.1.0","paths":{"/a":{"post":{"requestBody":{"content":{"application/json":{"schema":${'{"items":'.repeat(3000)}{}${"}".repeat(3000)}}}}}}}}`,
    },
    refused: ["is nested more than 256 levels deep", "$ref"],
  },
  {
    it: "variables of a server stand at their defaults, which are listed, numbers among them",
    authority: oas("4.8.6, Server Variable Object: default"),
    files: {
      "shop.yaml": `openapi: 3.0.4\nservers: [{ url: "https://{region}.shop.example:{port}/{version}", variables: { region: { default: eu }, port: { default: 8443 }, version: { default: v1 } } }]\npaths: { /a: { get: {} } }\n`,
    },
    routes: ["GET /a"],
    listed: [
      'servers: {region} is taken for its default, "eu"',
      'servers: {port} is taken for its default, "8443"',
      'servers: {version} is taken for its default, "v1"',
    ],
  },
  {
    it: "a server whose variables have no default is nobody's URL, and its path no base",
    authority: "Adyen, TerminalAPI-v1: /v1/merchants/{merchantAccount}/devices/{deviceId}/sync without variables",
    files: {
      "shop.yaml": `openapi: 3.1.0\nservers: [{ url: "https://{host}/v1/{account}/b", variables: { account: { enum: [x] } } }]\npaths: { /a: { get: {} } }\n`,
    },
    routes: ["GET /a"],
    listed: ["servers: {host} has no default", "servers: {account} has no default"],
  },
  {
    it: "a server without its scheme is listed, and not put before paths",
    authority: oas("4.8.5, Server Object: url"),
    files: { "shop.yaml": `openapi: 3.0.4\nservers: [{ url: api.shop.example/v1 }]\npaths: { /a: { get: {} } }\n` },
    routes: ["GET /a"],
    listed: ["servers: api.shop.example/v1 is not a whole URL, so paths stay as they are"],
  },
  {
    it: "a parameter of several segments, as tools write it",
    authority: "Amazon API Gateway: {proxy+}; RFC 6570, 3.2.3: {+path}",
    files: one(
      "  /a/{proxy+}: { get: { parameters: [{ in: path, name: proxy, required: true, schema: { type: string, maxLength: 9 } }] } }\n  /b/{+path}: { get: {} }\n  /c/{rest*}: { get: {} }\n  /d/{more+}/e: { get: {} }\n  /f/{+n}:g: { get: {} }\n",
    ),
    routes: ["GET /a/{proxy*}", "GET /b/{path*}", "GET /c/{rest*}", "GET /d/{more}/e", "GET /f/{n-g}"],
    listed: [
      "GET /d/{more+}/e: {more} takes one segment: only the last one can take several",
      "GET /f/{+n}:g: {+n}:g is read as one segment with any value",
    ],
  },
  {
    it: "letters beyond ASCII are matched as requests have them",
    authority: "RFC 3986, 2.5; Twilio: a path with U+200E",
    files: one("  /caf\u00e9/a b: { get: {} }\n  /x\u200e/{id}: { get: {} }\n  /\u00fc{id}: { get: {} }\n"),
    routes: ["GET /caf%C3%A9/a%20b", "GET /x%E2%80%8E/{id}", "GET /%C3%BC{id}"],
    listed: [],
  },
  {
    it: "names of headers are alike in any case: the operation's takes the place of the path's",
    authority: oas("4.8.12.2.1: if in is header, the name is case-insensitive"),
    files: one(
      "  /a:\n    parameters: [{ in: header, name: X-Page, schema: { format: odd } }]\n    get: { parameters: [{ in: header, name: x-page, schema: { type: integer } }] }\n",
    ),
    routes: ["GET /a"],
    listed: [],
  },
  {
    it: "a parameter of the path that the path has not is listed as that",
    authority: "Cloudflare: the parameter phase of /phases/{ruleset_phase}",
    files: one(
      "  /a/{id}: { get: { parameters: [{ in: path, name: phase, required: true, schema: { type: string } }] } }\n",
    ),
    routes: ["GET /a/{id}"],
    listed: ["GET /a/{id}: the parameter phase of the path is not checked: the path has no {phase}"],
  },
  {
    it: "media types that differ in their parameters alone, and ranges, are listed",
    authority: "ASP.NET API Versioning: application/json; v=1.0; SpringDoc: */*",
    files: one(
      "  /a: { post: { requestBody: { content: { application/json;v=1: { schema: { type: object } }, application/json;v=2: { schema: { type: array } } } } } }\n  /b: { post: { requestBody: { content: { '*/*': { schema: { type: object } } } } } }\n",
    ),
    routes: ["POST /a", "POST /b"],
    listed: [
      "POST /a: parameters of application/json are not distinguished",
      "POST /b: bodies of */* are checked where they are application/json",
    ],
  },
  {
    it: "paths, components and their schemas in files of their own are read",
    authority: "Redocly and swagger-cli, documents in several files: paths: { $ref }, schemas/_index.yaml",
    files: {
      "shop.yaml": `${head()}paths: { $ref: paths/_index.yaml }\ncomponents: { $ref: components.yaml }\nsecurity: [{ key: [] }]\n`,
      "paths/_index.yaml": "/a/{id}: { $ref: a.yaml }\n",
      "paths/a.yaml":
        'post:\n  parameters: [{ $ref: "../shop.yaml#/components/parameters/Id" }]\n  requestBody: { content: { application/json: { schema: { $ref: "../shop.yaml#/components/schemas/Order" } } } }\n',
      "components.yaml":
        "securitySchemes: { key: { type: apiKey, in: header, name: X-Key } }\nparameters: { Id: { in: path, name: id, required: true, schema: { format: odd } } }\nschemas: { $ref: schemas/_index.yaml }\n",
      "schemas/_index.yaml": "Order: { properties: { n: { format: even } } }\n",
    },
    routes: ["POST /a/{id}"],
    listed: ['id: the format "odd" is not checked', 'n: the format "even" is not checked'],
  },
  {
    it: "references on the way of a pointer that lead in a circle are listed, and end",
    authority: "RFC 6901, 7: errors; JSON Reference, circles",
    files: {
      "shop.yaml": `${head()}components: { $ref: "#/x-a/z" }\nx-a: { $ref: "#/x-b/z" }\nx-b: { $ref: "#/x-a/z" }\npaths: { /a: { get: { parameters: [{ $ref: "#/components/parameters/n" }] } } }\n`,
    },
    routes: ["GET /a"],
    listed: ["GET /a: the parameter #/components/parameters/n cannot be read", "is circular"],
  },
  {
    it: "of several segments of text and parameters, one that no match can express is read whole, and the others are not",
    authority: "RFC 6570, 3.2.2: adjacent expressions",
    files: one(
      "  /a/{x}-{y}/{z}{w}: { get: {} }\n  /b/{x}{y}/c: { get: {} }\n  /b/{x}/c: { post: {} }\n  /d/{x: { get: {} }\n",
    ),
    routes: ["GET /a/{x}-{y}/{z-w}", "GET /b/{x-y}/c", "POST /b/{x}/c", "GET /d/{x}"],
    listed: ["GET /a/{x}-{y}/{z}{w}: {z}{w} is read as one segment", "GET /d/{x: {x is read as one segment"],
  },
  {
    it: "a body without a media type is listed",
    authority: oas("4.8.13, Request Body Object: content is required"),
    files: one(
      "  /a: { post: { requestBody: { required: true } } }\n  /b: { post: { requestBody: { content: {} } } }\n",
    ),
    routes: ["POST /a", "POST /b"],
    listed: ["POST /a: its body is not checked: it has no media type", "POST /b: its body is not checked"],
  },
  {
    it: "a parameter in the words of Swagger 2.0, or with two media types, is listed",
    authority: oas("4.8.12, Parameter Object: schema, or content with one entry"),
    files: one(
      "  /a: { get: { parameters: [{ in: query, name: n, type: integer, minimum: 3 }, { in: query, name: m, content: { text/plain: {}, application/json: {} } }] } }\n",
    ),
    routes: ["GET /a"],
    listed: [
      'GET /a: "type" is not a key of a parameter: it does not apply to n',
      'GET /a: "minimum" is not a key of a parameter',
      "GET /a: the parameter m of the query: OpenAPI has one media type for a parameter: text/plain is read",
    ],
  },
  {
    it: "a header that no request can have is listed",
    authority: "RFC 9110, 5.1: a field's name is a token",
    files: one(
      "  /a: { get: { parameters: [{ in: header, name: X Page, required: true, schema: { type: integer } }] } }\n",
    ),
    routes: ["GET /a"],
    listed: ["GET /a: the parameter X Page of the header is not checked: it is not a valid header name"],
  },
  {
    it: "YAML that is broken somewhere is refused, and not read as far as it goes",
    authority: "YAML 1.2.2, 3.2.1.3: keys are unique; kuma, tools/openapi/templates/endpoints.yaml",
    files: { "shop.yaml": `${head()}paths:\n  /a: { get: {} }\n  /a: { post: {} }\n` },
    refused: ["cannot be read: Map keys must be unique", "leave one of the two"],
  },
  {
    it: "a template of a document is refused",
    authority: "kuma, tools/openapi/templates/endpoints.yaml",
    files: { "shop.yaml": `${head()}paths:\n  /a: { get: {} }\n  /b: {{ .Name }}s\n` },
    refused: ["cannot be read", "write JSON or YAML"],
  },
  {
    it: "JSON in which a key stands twice is listed",
    authority: "RFC 8259, 4: many implementations report the last name/value pair only",
    files: {
      "shop.json":
        '{"openapi":"3.1.0","servers":[{"url":"https://shop.internal"}],"paths":{"/a":{"get":{}},"/a":{"post":{}}}}',
    },
    routes: ["POST /a"],
    listed: ["an object has a duplicate key; the last one is read"],
  },
  {
    it: "a file whose name no manifest can have is kept by another one",
    authority: "people's file names: blanks, parentheses, letters beyond ASCII, no extension",
    files: { "Shop \u00fc (v2).YAML": paths },
    routes: ["GET /a"],
    listed: [],
  },
];
