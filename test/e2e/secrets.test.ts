/** Values of secrets appear in nothing that a gateway writes, prints or sends. */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { expect, it } from "vitest";
import { ensureExplainKey } from "../../infra/explain/keys.ts";
import { postern } from "../command-line.ts";
import { manifest, runProject, runService } from "./project.ts";

const values = {
  SIGNING_KEY: "value-one-that-nobody-may-see",
  IT_TOKEN: "value-two-that-nobody-may-see",
  REDIS_TOKEN: "value-three-that-nobody-may-see",
  CALL_KEY: "value-four-that-nobody-may-see",
};
const nobody = /value-(?:one|two|three|four)-that/;

const filesUnder = (folder: string): string[] =>
  fs
    .readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((it) => path.join(folder, it))
    .filter((it) => fs.statSync(it).isFile());

it("no value stands in a bundle, plan, log line, problem, trace or output, whatever goes wrong", async () => {
  const received: string[] = [];
  const upstream = await runService((request, response) => {
    received.push(JSON.stringify(request.headers));
    response.end("ok");
  });
  const body = (key: string) => `isolation: ${key}
filters:
  - body-limit: 1KiB
  - rate-limit: { limit: 1000/s, by: ip, store: { upstash: "http://localhost:9", token: { secret: REDIS_TOKEN } }, count: exact }
  - headers: { request: { set: { x-token: { secret: IT_TOKEN } } } }
upstreams: { it: { http: { url: "${upstream.url}", sign: { secret: CALL_KEY } } }, gone: { http: http://localhost:9 } }
routes:
  plain: { match: GET /plain, to: it }
  gone: { match: GET /gone, to: gone }
  lifted: { match: GET /lifted, to: it${key === "tier" ? ", isolation: route" : ""} }
  signed: { match: POST /signed, to: it, filters: [{ signature: { keys: { k1: { secret: SIGNING_KEY, consumer: shop } } } }] }
`;
  const keys = fs.mkdtempSync(path.join(os.tmpdir(), "postern-key-"));
  const { url, lines, root } = await runProject(
    {
      "routes/own.yaml": manifest("own", body("tier")),
      "routes/small.yaml": manifest("small", body("shared")),
      "routes/environments/local.yaml": `values: {}\nexplain: { key: "${ensureExplainKey(keys, "local")}" }\n`,
    },
    { secrets: values },
  );
  fs.cpSync(path.join(keys, ".secrets"), path.join(root, ".secrets"), { recursive: true });
  fs.rmSync(keys, { recursive: true });
  const output: string[] = [];
  const requests: readonly (readonly [string, RequestInit?])[] = [
    ["plain"],
    ["gone"],
    ["lifted"],
    ["signed", { method: "POST", body: "x" }],
    [
      "signed",
      {
        method: "POST",
        body: "x",
        headers: {
          "signature-input": 'sig=("@method" "@authority" "@path" "@query");created=1;nonce="n";keyid="k1"',
          signature: "sig=:AAAA:",
        },
      },
    ],
    ["nothing"],
  ];
  for (const tier of ["own", "small"])
    for (const [target, init] of requests) {
      const response = await fetch(`${url}/${tier}/${target}`, init);
      output.push(JSON.stringify([...response.headers]), await response.text());
    }
  const run = async (args: readonly string[]) => {
    const { out, err } = await postern([...args, "--root", root]);
    return out + err;
  };
  for (const args of [
    ["build", "--env", "local"],
    ["routes", "--env", "local"],
    ["check"],
    ["secrets", "list"],
    ["explain", "--at", url, "GET", "/own/plain"],
  ])
    output.push(await run(args));
  expect(output.join()).toContain("plain");
  // The service receives the secret, so the values were really there.
  expect(received.join()).toContain(values.IT_TOKEN);
  expect(lines.length).toBeGreaterThan(10);
  expect(lines.join()).toContain("degraded");
  // The local cloud has to keep them somewhere: in files of their own, that only their owner reads.
  const vault = path.join(root, ".state/secrets");
  const kept = filesUnder(vault);
  expect(kept.map((it) => fs.readFileSync(it, "utf8")).sort()).toEqual(Object.values(values).sort());
  for (const it of kept) expect(fs.statSync(it).mode & 0o777).toBe(0o600);
  const files = filesUnder(root).filter((it) => !kept.includes(it));
  for (const text of [...output, ...lines, ...files.map((it) => fs.readFileSync(it, "utf8"))])
    expect(text).not.toMatch(nobody);
  for (const text of received) expect(text.replaceAll(values.IT_TOKEN, "")).not.toMatch(nobody);
});
