/** What the dev loop prints when it is ready. */
import { expect, it } from "vitest";
import { compile } from "../../infra/compiler/compile.ts";
import { calledUrls } from "../../infra/dev/called-urls.ts";
import { localServices } from "../../infra/dev/services.ts";
import { welcome } from "../../infra/dev/welcome.ts";
import { manifest, writeProject } from "../e2e/project.ts";

it("lists twenty routes and says how many more there are, so that what to paste stays in sight", () => {
  const routes = Array.from({ length: 23 }, (_, index) => `  r${index}: { match: GET /r${index}, to: it }\n`).join("");
  const root = writeProject({
    "routes/t.yaml": manifest("t", `upstreams: { it: { http: "https://it.example" } }\nroutes:\n${routes}`),
  });
  const text = welcome(compile(root, "local"), "http://localhost:8787", 1234);
  expect(text).toContain("ready in 1.2 s");
  expect(text.match(/^t\/r\d+ /gm)).toHaveLength(20);
  expect(text).toContain("3 more: npx postern routes --env local\n");
});

it("says under which condition a route takes a request, if a route has one", () => {
  const root = writeProject({
    "routes/t.yaml": manifest(
      "t",
      `upstreams: { it: { http: "https://it.example" } }
routes:
  plain: { match: GET /a, to: it }
  beta: { match: GET /a, to: it, when: { header: { x-beta: present } } }
`,
    ),
  });
  const text = welcome(compile(root, "local"), "http://localhost:8787", 1234);
  expect(text).toMatch(/route +method +url +when +filters/);
  expect(text).toMatch(/^t\/beta .*header x-beta present/m);
  expect(text).toMatch(/^t\/plain .*\/a +- +-$/m);
});

const called = `filters:
  - cors: { origins: ["\${app-origin}", "http://localhost:1"] }
  - jwt: { issuer: "http://localhost:2", audience: t, algorithms: [EdDSA] }
  - mirror: http://localhost:3/copies
  - rate-limit: { limit: 1/s, by: ip, store: { upstash: "http://localhost:4", token: { secret: STORE } } }
upstreams:
  it: { http: "\${it-url}" }
  next: { http: "http://localhost:5/v2" }
routes:
  one: { match: GET /one, to: [{ it: 90 }, { next: 10 }] }
`;

it("waits for the services that gates call, and for no origin of a page", () => {
  const root = writeProject({
    "routes/t.yaml": manifest("t", called),
    "routes/environments/local.yaml": "values: { it-url: http://localhost:5/v1, app-origin: http://localhost:6 }\n",
  });
  const urls = calledUrls(compile(root, "local"));
  expect(urls.toSorted()).toEqual([
    "http://localhost:2",
    "http://localhost:3/copies",
    "http://localhost:4",
    "http://localhost:5/v1",
    "http://localhost:5/v2",
  ]);
});

it("waits for each service of this machine once, and for none elsewhere", () => {
  const urls = [
    "http://localhost:5/v1",
    "http://localhost:5/v2",
    "http://api.localhost",
    "https://it.example",
    "no URL",
  ];
  expect(localServices(urls)).toEqual(["http://localhost:5", "http://api.localhost"]);
});
