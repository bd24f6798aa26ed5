/** A front and gates of different versions: what one does not know of the other is answered with 503, and by nobody else. */
import fs from "node:fs";
import type http from "node:http";
import path from "node:path";
import { expect, it } from "vitest";
import { manifest, runProject, runService } from "./project.ts";

const answer: http.RequestListener = (request, response) => response.end(`${request.method} ${request.url}`);

const itemRoutes = (url: string, more = "") => `upstreams: { it: { http: "${url}" } }
routes:
  item: { match: "GET /items/{id}", to: it }
  open: { match: "POST /items/{id}/open", to: it ${more}}
`;

/** A tier with a lifted route, and two that share a gate. */
const shapes = (url: string) => ({
  "routes/lifted.yaml": manifest("lifted", itemRoutes(url, ", isolation: route ")),
  "routes/small.yaml": manifest("small", `isolation: shared\n${itemRoutes(url)}`),
  "routes/other.yaml": manifest(
    "other",
    `isolation: shared\nupstreams: { it: { http: "${url}" } }\nroutes: { one: { match: GET /one, to: it } }\n`,
  ),
});

it("a front that does not know yet that a route was lifted gets a 503, and no other answer", async () => {
  const upstream = await runService(answer);
  const { url } = await runProject(shapes(upstream.url), {
    onEmitted: (folder) => {
      const plan = path.join(folder, "front/plan.js");
      fs.writeFileSync(plan, fs.readFileSync(plan, "utf8").replace(/"lifted":\{.*?\}\}(?=\})/s, '"older":{}'));
    },
  });
  expect((await fetch(`${url}/lifted/items/7/open`, { method: "POST" })).status).toBe(503);
  expect((await fetch(`${url}/lifted/items/7`)).status).toBe(200);
});

it.each([
  ["no tier", ""],
  ["a tier that it does not serve", ',"props":{"tier":"unknown"}'],
])("a shared gate called for %s answers 503, and logs it", async (_, props) => {
  const upstream = await runService(answer);
  const { url, lines } = await runProject(shapes(upstream.url), {
    onEmitted: (folder) => {
      const config = path.join(folder, "front/wrangler.json");
      const compact = JSON.stringify(JSON.parse(fs.readFileSync(config, "utf8")));
      fs.writeFileSync(config, compact.replace(',"props":{"tier":"other"}', props));
    },
  });
  expect((await fetch(`${url}/other/one`)).status).toBe(503);
  expect(lines.map((line) => JSON.parse(line).type)).toEqual(["fault", "access"]);
  expect((await fetch(`${url}/small/items/7`)).status).toBe(200);
});
