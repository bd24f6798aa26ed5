/** Previews of pull requests: collisions are refused, and in `test:full` two of them are deployed and removed. */
import { once } from "node:events";
import fs from "node:fs";
import http from "node:http";
import path from "node:path";
import { text } from "node:stream/consumers";
import { describe, expect, it, onTestFinished } from "vitest";
import { startCloud } from "../../infra/cloud/cloud.ts";
import { down, up } from "../../infra/commands/release/preview.ts";
import { isPreview } from "../../infra/release/preview.ts";
import { quietly } from "../command-line.ts";
import { manifest, runService, writeProject } from "../e2e/project.ts";
import { full } from "../full.ts";
import { direct } from "./direct.ts";

const tier = (name: string) =>
  manifest(
    name,
    `filters:
  - rate-limit: { limit: 1000/m, by: ip }
  - headers: { request: { set: { x-key: { secret: A_KEY } } } }
upstreams: { it: { http: "$${"{it-url}"}" } }
routes: { who: { match: GET /who, to: it } }
`,
  ).replace("hosts: [localhost]", `hosts: ["$${"{api-host}"}"]`);

const files = (host: string, name = "a", url = "https://it.example") => ({
  [`routes/${name}.yaml`]: tier(name),
  "routes/environments/preview.yaml": `values: { api-host: ${host}, it-url: "${url}" }\ndev: { secrets: { A_KEY: a-sample } }\n`,
});
const good = "preview-0.acme.example";
const nowhere = "http://127.0.0.1:9";

describe("what would make one preview another's is refused before anything is uploaded", () => {
  it.each([
    ["a host of all previews", files("api.acme.example"), "7", /the host api\.acme\.example is shared by all previews/],
    [
      "a host of preview-70",
      files("preview-70.acme.example"),
      "7",
      /the host preview-70\.acme\.example is shared by all previews/,
    ],
    ["a name that is too long", files(good, "a".repeat(48)), "1234567", /has a name that is too long for a preview/],
    [
      "no template",
      { "routes/a.yaml": tier("a") },
      "7",
      /there is no routes\/environments\/preview\.yaml; write .*preview-0/,
    ],
    ["a name that is no number", files(good), "../7", /"\.\.\/7" is not the number of a pull request/],
  ])("%s", async (_, all, number, said) => {
    await expect(up(number, { root: writeProject(all), target: nowhere })).rejects.toThrow(said);
  });
  it("a tier, or a route with a Worker of its own, that is called like one", async () => {
    const lifted = tier("b").replace("{ who: { match", "{ my-preview-7: { isolation: route, match");
    const root = writeProject({ ...files(good, "a-preview-7"), "routes/b.yaml": lifted });
    const { exitCode, text } = await up("7", { root, target: nowhere });
    expect([exitCode, text.match(/^routes\S+ {2}reserved-name {2}Workers of previews/gm)?.length]).toEqual([1, 2]);
  });
  it("and only environments that are called so are previews", () => {
    expect(["preview-7", "preview-0", "preview", "production", "preview-7x", "my-preview-7"].map(isPreview)).toEqual([
      ...[true, false, false, false, false, false],
    ]);
  });
});

it.runIf(full)("each pull request has Workers of its own, which go with it and take nobody else's along", async () => {
  const upstream = await runService((request, response) => response.end(request.headers["x-key"]));
  const root = writeProject(files(good, "a", upstream.url));
  const cloud = await startCloud({ folder: path.join(root, ".cloud"), edgePort: 0, apiPort: 0 });
  onTestFinished(() => cloud.close());
  const options = { root, target: direct(cloud.api as string) };
  const bring = (number: string) => quietly(() => up(number, options));
  const there = () => [...cloud.control.account().workers.keys()].sort();
  /** `fetch` sets the Host header itself. */
  const ask = async (host: string) => {
    const [response] = (await once(http.get(`${cloud.edge}/a/who`, { headers: { host } }), "response")) as [
      http.IncomingMessage,
    ];
    return [response.statusCode, await text(response)];
  };

  for (const number of ["7", "8"]) expect((await bring(number)).exitCode).toBe(0);
  const own = (number: string) => [
    `gate-a-preview-${number}`,
    `postern-front-preview-${number}`,
    `state-shared-preview-${number}`,
  ];
  expect(there()).toEqual([...own("7"), ...own("8")].sort());
  for (const number of ["7", "8"]) expect(await ask(`preview-${number}.acme.example`)).toEqual([200, "a-sample"]);
  expect((await bring("7")).text).toContain("nothing has changed");

  expect((await down("7", options)).data).toEqual({
    environment: "preview-7",
    removed: ["postern-front-preview-7", "gate-a-preview-7", "state-shared-preview-7"],
  });
  expect(there()).toEqual(own("8"));
  expect((await ask("preview-8.acme.example"))[0]).toBe(200);
  expect((await ask("preview-7.acme.example"))[0]).toBe(404);
  expect(fs.existsSync(path.join(root, "routes/environments/preview-7.yaml"))).toBe(false);
  expect((await down("7", options)).text).toBe("preview-7 has no Workers\n");
});
