/** Measures the compiler: ten thousand routes in three hundred tiers, read, checked, and checked again after one edit. */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { parseDocument } from "yaml";
import { type Compiled, compile, manifestFiles } from "../compiler/compile.ts";
import { emit } from "../compiler/emit/emit.ts";
import { wideTable as table } from "../terminal/table.ts";

const tiers = 300;
const routesEach = 34;
const rounds = Number(process.argv.at(-1)) || 5;

/** Shaped as the example manifests: a token, headers with references, an upstream or two, captures and patterns. */
const manifest = (tier: number): string => {
  const routes = Array.from(
    { length: routesEach },
    (_, n) => `  route-${n}:
    summary: What route ${n} of tier ${tier} is for
    match: ${n % 3 ? "GET" : "POST"} /things-${n % 17}/{id:[0-9]+}/part-${n}
    filters:
      - body-limit: 16KiB
    to: service-${n % 2}
    path: /things/{path.id}
`,
  );
  return `api: postern/v1
tier: tier-${tier}
owner: "@acme/team-${tier}"
hosts: [api.acme.example]
base: /tier-${tier}/v1
filters:
  - cors: { origins: ["https://shop.acme.example"] }
  - jwt: { issuer: "\${identity-url}", audience: tier-${tier}, algorithms: [RS256, EdDSA] }
  - headers: { request: { set: { x-customer: "{consumer.id}" }, remove: [authorization, cookie] } }
upstreams:
  service-0: { http: https://service-${tier}.acme.example, timeout: 800ms }
  service-1: { http: https://other-${tier}.acme.example }
routes:
${routes.join("\n")}`;
};

const root = fs.mkdtempSync(path.join(os.tmpdir(), "postern-bench-"));
process.on("exit", () => fs.rmSync(root, { recursive: true, force: true }));
fs.mkdirSync(path.join(root, "routes/environments"), { recursive: true });
fs.writeFileSync(
  path.join(root, "routes/environments/local.yaml"),
  "values: { identity-url: https://identity.acme.example }\n",
);
for (let tier = 0; tier < tiers; tier++) fs.writeFileSync(path.join(root, `routes/tier-${tier}.yaml`), manifest(tier));

/** The median of the rounds, in milliseconds. */
const measured = async (work: () => unknown): Promise<number> => {
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const started = performance.now();
    await work();
    times.push(performance.now() - started);
  }
  return times.toSorted((a, b) => a - b)[Math.floor(rounds / 2)] as number;
};

const first = compile(root, "local");
if (first.problems.length > 0) throw new Error(JSON.stringify(first.problems[0]));
const files = manifestFiles(root).map((file) => path.join(root, file));
const parsing = await measured(() => {
  for (const file of files)
    parseDocument(fs.readFileSync(file, "utf8"), { version: "1.2", prettyErrors: false }).toJS();
});
let edit = 0;
const compileEdited = (): Compiled => {
  fs.writeFileSync(path.join(root, "routes/tier-7.yaml"), `${manifest(7)}# edit ${edit++}\n`);
  return compile(root, "local", first);
};
const recompiled = compileEdited();
const recompiledTiers = recompiled.tiers
  .filter((it, index) => it !== first.tiers[index])
  .map(({ checked }) => checked.manifest.tier);
if (recompiledTiers.join() !== "tier-7")
  throw new Error(`an edit of tier-7 compiled ${recompiledTiers.join(", ") || "nothing"} again`);

/** The maximum of each row as a multiple of parsing, so that the machine's speed does not matter. */
const rows: readonly (readonly [name: string, ms: number, most: number])[] = [
  ["parse the YAML, nothing else", parsing, 1],
  ["read, check and lower all", await measured(() => compile(root, "local")), 4],
  ["the same, and write all Workers", await measured(() => emit(root, compile(root, "local"))), 6],
  ["again, after an edit of one manifest", await measured(compileEdited), 0.25],
  ["the same, and write its Workers", await measured(() => emit(root, compileEdited(), { only: "tier-7" })), 0.4],
  ["the same, and write all Workers", await measured(() => emit(root, compileEdited())), 1.5],
];

const routes = first.tiers.reduce((sum, { checked }) => sum + checked.routes.length, 0);
console.log(`${routes} routes in ${first.tiers.length} tiers, median of ${rounds}\n`);
console.log(
  table(
    ["", "ms", "ratio to parsing", "most", "", ""],
    rows.map(([name, ms, most]) => [
      name,
      Math.round(ms),
      (ms / parsing).toFixed(2),
      most.toFixed(2),
      "#".repeat(Math.max(1, Math.round((ms / parsing) * 10))),
      ms / parsing > most ? "MISSED" : "",
    ]),
  ),
);
if (rows.some(([, ms, most]) => ms / parsing > most)) process.exitCode = 1;
