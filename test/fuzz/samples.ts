/**
 * Samples that the fuzzer mutates: a manifest with every kind of key, an OpenAPI document, and files of the Gateway API.
 */
export const manifest = `api: postern/v1
tier: t
summary: All kinds of keys
owner: "@acme/t"
level: standard
labels: { app: mobile }
hosts: [localhost, "*.acme.example"]
base: /t
limits: { body: 64KiB, concurrency: 100 }
log: { sample: 10% }
filters:
  - jwt: { issuer: https://issuer.example, audience: wallet, algorithms: [RS256, EdDSA], leeway: 5s, max-age: 24h, cache: 10m, claims: { role: [a, b] } }
  - rate-limit: { limit: 100/s, by: consumer }
  - headers: { request: { set: { x-who: "{consumer.id}" }, remove: [authorization] }, response: { set: { x-a: b } } }
upstreams:
  accounts: { http: "\${x}", timeout: 800ms }
  other: { http: { url: https://other.example/base, location: keep } }
routes:
  balance:
    match: GET /accounts/{id:[0-9]+}/balance
    when: { header: { x-a: { matches: "[a-z]{1,8}" } }, query: { q: present } }
    to: accounts
    path: /accounts/{path.id}
    deprecated: { since: 2026-01-01, sunset: 2027-06-30, link: https://docs.acme.example/v2 }
  transfer:
    match: POST,PUT /transfers
    filters:
      - body-limit: 16KiB
      - validate: { body: { type: object, required: [amount], properties: { amount: { type: number, minimum: 0 }, note: { type: string, pattern: "^[a-z]*$" } } } }
        mode: shadow
        percent: 10%
      - timeout: 2s
    to: accounts
  rates:
    match: ANY /rates/{rest*}
    without: [jwt, rate-limit, headers]
    filters:
      - cors: { origins: ["https://app.example"], credentials: true, max-age: 1h }
      - ip: { allow: [10.0.0.0/8, "::1"], deny: [10.1.0.0/16] }
      - rate-limit: { limit: 20/30s, by: ip, algorithm: token-bucket }
      - rewrite: { path: "/r/{path.rest}" }
    to: [{ accounts: 90 }, { other: 10 }]
  cut: { match: GET /cut, without: [jwt, rate-limit, headers], to: accounts, cutover: { legacy: other, percent: 50% } }
  gone: { match: GET /gone, without: [jwt, rate-limit, headers], filters: [redirect: { to: "https://new.example/a", status: 308 }], respond: { status: 204 } }
  closed: { match: GET /closed, without: [jwt, rate-limit, headers], respond: { status: 200, text: here }, closed: { retry-after: 1h, detail: soon } }
release:
  steps: [0%, 1%, 10%, 100%]
  bake: 5m
  tolerate: { errors: +0.5pp, p99: +20%, refusals: +1pp }
`;

export const document = `openapi: 3.1.0
info: { title: Shop, version: "1" }
servers: [{ url: "https://{region}.shop.example/v1", variables: { region: { default: eu, enum: [eu, us] } } }]
security: [{ bearer: [] }]
paths:
  /items/{id}:
    parameters: [{ $ref: "#/components/parameters/id" }]
    get:
      operationId: getItem
      parameters:
        - { in: query, name: fields, schema: { type: array, items: { type: string }, maxItems: 5 }, style: form, explode: false }
        - { in: query, name: filter, style: deepObject, explode: true, schema: { type: object, properties: { a: { type: integer } } } }
        - { in: header, name: x-trace, schema: { type: string, pattern: "^[a-f0-9]+$" } }
        - { in: cookie, name: sid, schema: { type: string, format: uuid } }
      responses: { "200": { description: ok, content: { application/json: { schema: { $ref: "#/components/schemas/Item" } } } } }
    put:
      requestBody:
        required: true
        content:
          application/json: { schema: { $ref: "#/components/schemas/Item" } }
          multipart/form-data: { schema: { type: object, properties: { file: { type: string, format: binary } } }, encoding: { file: { contentType: image/png } } }
      responses: { "204": { description: done } }
  /search:
    post:
      security: []
      requestBody: { content: { application/x-www-form-urlencoded: { schema: { type: object, additionalProperties: false, properties: { q: { type: string, minLength: 1, maxLength: 100 } } } } } }
      responses: { default: { description: any } }
components:
  securitySchemes:
    bearer: { type: http, scheme: bearer, bearerFormat: JWT }
    key: { type: apiKey, in: header, name: x-key }
  parameters:
    id: { in: path, name: id, required: true, schema: { type: integer, minimum: 1, maximum: 9007199254740991 } }
  schemas:
    Item:
      type: object
      required: [name]
      properties:
        name: { type: string }
        parent: { anyOf: [{ $ref: "#/components/schemas/Item" }, { type: "null" }] }
        tags: { type: array, uniqueItems: true, items: { enum: [a, b] } }
        price: { type: number, exclusiveMinimum: 0, multipleOf: 0.01 }
      if: { properties: { name: { const: x } } }
      then: { required: [price] }
`;

export const cluster = `apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: edge, namespace: infra }
spec:
  gatewayClassName: c
  listeners:
    - { name: https, port: 443, protocol: HTTPS, hostname: "*.acme.example", allowedRoutes: { namespaces: { from: All } }, tls: { certificateRefs: [{ name: cert }] } }
    - { name: http, port: 80, protocol: HTTP }
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: shop, namespace: shop, labels: { app: shop } }
spec:
  parentRefs: [{ name: edge, namespace: infra, sectionName: https }]
  hostnames: [shop.acme.example]
  rules:
    - name: items
      matches:
        - path: { type: PathPrefix, value: /items }
          method: GET
          headers: [{ name: x-a, value: b, type: Exact }]
          queryParams: [{ name: q, value: "[a-z]+", type: RegularExpression }]
        - path: { type: RegularExpression, value: "/v[0-9]+/.*" }
      filters:
        - type: RequestHeaderModifier
          requestHeaderModifier: { set: [{ name: x-b, value: c }], add: [{ name: x-d, value: e }], remove: [x-f] }
        - type: URLRewrite
          urlRewrite: { hostname: internal.example, path: { type: ReplacePrefixMatch, replacePrefixMatch: /v2 } }
      backendRefs: [{ name: a, port: 8080, weight: 90 }, { name: b, port: 8080, weight: 10 }]
      timeouts: { request: 10s, backendRequest: 2s }
    - matches: [{ path: { type: Exact, value: /old } }]
      filters: [{ type: RequestRedirect, requestRedirect: { scheme: https, hostname: new.example, statusCode: 301, path: { type: ReplaceFullPath, replaceFullPath: /new } } }]
---
apiVersion: v1
kind: Service
metadata: { name: a, namespace: shop }
spec: { ports: [{ port: 8080 }] }
---
apiVersion: gateway.networking.k8s.io/v1beta1
kind: ReferenceGrant
metadata: { name: g, namespace: far }
spec: { from: [{ group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: shop }], to: [{ group: "", kind: Service }] }
`;
