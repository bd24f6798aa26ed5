/** Limits through front, gate and state in workerd: under many clients at once, and beside a flood. */
import { describe, expect, it } from "vitest";
import { full } from "../full.ts";
import { manifest, runProject, runService, sharedProject } from "./project.ts";

const limited = (tier: string, settings: string, upstream: string, more = "") =>
  manifest(
    tier,
    `${more}filters: [{ rate-limit: { by: tier, timeout: 20s, ${settings} } }]
upstreams: { it: { http: "${upstream}" } }
routes: { all: { match: "ANY /{rest*}", to: it } }
`,
  );

const count = async (url: string, requests: number) => {
  const all = await Promise.all(Array.from({ length: requests }, () => fetch(url).then(({ status }) => status)));
  return Object.fromEntries([...Map.groupBy(all, String)].map(([status, them]) => [status, them.length]));
};

const ok = () => runService((_, response) => response.end("ok"));

/** At once. */
const clients = full ? 200 : 90;

const algorithms = ["fixed-window", "sliding-window", "token-bucket"];

const withService = sharedProject((url) => ({
  ...Object.fromEntries(
    algorithms.map((it) => [`routes/${it}.yaml`, limited(it, `limit: 60/day, algorithm: ${it}, count: exact`, url)]),
  ),
  // One client asks for all of them, at once.
  "routes/flood.yaml": `${limited("flood", "limit: 1/day, count: exact", url).replace(
    "by: tier",
    "by: header.x-key",
  )}limits: { client-share: 100% }\n`,
  "routes/calm.yaml": limited("calm", "limit: 20/day, count: exact", url),
}));

describe.each(algorithms)("%s", (algorithm) => {
  it(`admits exactly the limit of ${clients} clients at once`, async () => {
    const { url, lines } = withService();
    expect(await count(`${url}/${algorithm}/x`, clients)).toEqual({ 200: 60, 429: clients - 60 });
    expect(lines.filter((line) => line.includes("degraded"))).toEqual([]);
  });
});

it("state that is gone, and comes back: the isolate counts in between", async () => {
  const upstream = await ok();
  const { url, lines, cloud } = await runProject({
    "routes/t.yaml": limited("t", "limit: 5/day, count: exact", upstream.url).replace("timeout: 20s", "timeout: 500ms"),
  });
  expect(await count(`${url}/t/x`, 3)).toEqual({ 200: 3 });
  await cloud.control.remove("state-shared-local", true);
  const answers: number[] = [];
  for (let index = 0; index < 8; index++) answers.push((await fetch(`${url}/t/x`)).status);
  expect(answers).toEqual([200, 200, 200, 200, 200, 429, 429, 429]);
  expect(
    lines.filter((line) => line.includes('"type":"access"') && line.includes('"degraded":["rate-limit"]')),
  ).toHaveLength(8);
});

it("a tier that floods its limits and its state leaves the others' counts alone", async () => {
  const { url } = withService();
  const keys = full ? 300 : 80;
  const flood = Promise.all(
    Array.from({ length: 2 * keys }, (_, index) =>
      fetch(`${url}/flood/x`, { headers: { "x-key": `k${index % keys}` } }).then(({ status }) => status),
    ),
  );
  const calm = count(`${url}/calm/x`, 30);
  expect(await calm).toEqual({ 200: 20, 429: 10 });
  expect((await flood).filter((status) => status === 200)).toHaveLength(keys);
});
