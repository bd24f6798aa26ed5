#!/usr/bin/env node
/** `npm run bench:memory`: observes a gate's memory while every request has another consumer, token, key and path. */
import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import http from "node:http";
import path from "node:path";
import { Command, InvalidArgumentError } from "@commander-js/extra-typings";
import { wideTable as table } from "../terminal/table.ts";
import { runAsCommand } from "./runtime/command.ts";
import { startProgress } from "./runtime/progress.ts";
import { scratchFolder } from "./runtime/scratch.ts";
import { writeWorkerdConfig } from "./runtime/workerd.ts";
import { startWorkerd } from "./runtime/workerd-process.ts";
import { gateFrom } from "./subjects/gates.ts";

const positiveInteger = (text: string): number => {
  if (!/^[1-9]\d*$/.test(text)) throw new InvalidArgumentError("It takes a whole number, 1 at least.");
  return Number(text);
};

const program = new Command("npm run bench:memory --")
  .description("Asks a gate with requests that have nothing in common; exits with 1 where its memory goes on growing.")
  .option("--requests <number>", "requests in all", positiveInteger, 1_000_000)
  .option("--json", "machine-readable output")
  .showHelpAfterError("(--help shows what it takes)")
  .exitOverride();

/** Number of readings. */
const readings = 20;
/** Tolerated growth of the last quarter over the one before, in MiB: garbage that is not collected yet. */
const mostGrowth = 8;
const concurrency = 16;

const main = async ({ requests, json }: ReturnType<typeof program.opts>): Promise<void> => {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const folder = scratchFolder();
  const gate = await gateFrom(folder, manifestWith(publicKey));
  const runtime = await startWorkerd(writeWorkerdConfig(path.join(folder, "gate"), [gate]));
  const agent = new http.Agent({ keepAlive: true, maxSockets: concurrency });
  const progress = startProgress(`${requests.toLocaleString("en")} requests`);
  const rows: { readonly sent: number; readonly resident: number }[] = [];
  let sent = 0;
  for (let reading = 1; reading <= readings; reading++) {
    const until = Math.floor((requests / readings) * reading);
    const work = async (): Promise<void> => {
      while (sent < until) await sendRequest(runtime.port, agent, sent++, privateKey);
    };
    await Promise.all(Array.from({ length: concurrency }, work));
    rows.push({ sent, resident: runtime.resident() });
    progress.at(`${sent}`);
  }
  progress.done();
  agent.destroy();
  runtime.stop();
  // The first half is ignored: caches fill, and the heap reaches its size.
  const half = rows.slice(readings / 2);
  const growth = mean(half.slice(half.length / 2)) - mean(half.slice(0, half.length / 2));
  const flat = growth <= mostGrowth;
  process.stdout.write(json ? `${JSON.stringify({ rows, growth, mostGrowth, flat }, null, 2)}\n` : formatRows(rows));
  if (!json)
    process.stdout.write(
      `\nThe last quarter has ${growth.toFixed(1)} MiB over the one before it; ${mostGrowth} is the most.\n`,
    );
  if (!flat) process.exitCode = 1;
};

const mean = (rows: readonly { readonly resident: number }[]): number =>
  rows.reduce((sum, { resident }) => sum + resident, 0) / rows.length;

const formatRows = (rows: readonly { readonly sent: number; readonly resident: number }[]): string =>
  table(
    ["requests", "MiB", ""],
    rows.map(({ sent, resident }) => [
      sent.toLocaleString("en").padStart("requests".length),
      Math.round(resident),
      "#".repeat(Math.round(resident / 5)),
    ]),
  );

const [issuer, audience, kid] = ["https://identity.acme.example", "orders", "memory"];

const manifestWith = (key: KeyObject) => ({
  api: "postern/v1",
  tier: "orders",
  hosts: ["localhost"],
  log: { sample: "0%" },
  filters: [
    { cors: { origins: ["https://shop.acme.example"] } },
    {
      jwt: { issuer, audience, algorithms: ["EdDSA"], keys: [{ ...key.export({ format: "jwk" }), kid, alg: "EdDSA" }] },
    },
    { "rate-limit": { limit: "100/h", by: ["consumer", "header.x-key"], count: "local" } },
  ],
  upstreams: {},
  routes: { orders: { match: "GET /v1/{rest*}", respond: { status: 200, text: "ok" } } },
});

const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");

const tokenOf = (subject: string, key: KeyObject): string => {
  const exp = Math.floor(Date.now() / 1000) + 3600;
  const text = `${encoded({ alg: "EdDSA", kid })}.${encoded({ iss: issuer, aud: audience, sub: subject, exp })}`;
  return `${text}.${sign(null, Buffer.from(text), key).toString("base64url")}`;
};

/** @throws where the response is not 200 */
const sendRequest = (port: number, agent: http.Agent, number: number, key: KeyObject): Promise<void> =>
  new Promise((resolve, reject) => {
    const headers = {
      host: "localhost",
      authorization: `Bearer ${tokenOf(`consumer-${number}`, key)}`,
      "x-key": `key-${number}`,
      origin: `https://shop-${number}.example`,
    };
    http
      .request(
        { host: "127.0.0.1", port, agent, path: `/v1/things/${number}/part?n=${number}`, headers },
        (response) => {
          response.resume();
          if (response.statusCode === 200) response.once("end", resolve);
          else reject(new Error(`request ${number} was answered ${response.statusCode}`));
        },
      )
      .once("error", reject)
      .end();
  });

await runAsCommand("bench:memory", () => main(program.parse().opts()));
