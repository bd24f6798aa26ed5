/** What the documents show is true: manifests compile, and broken ones say what is printed. */
import { createHmac } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import * as signature from "../../functions/filters/signature.ts";
import { isClaim } from "../../functions/gateway/core/claims.ts";
import { BodyLimit, Consumer, getFact } from "../../functions/gateway/core/facts.ts";
import { environment } from "../../functions/manifest/environment.ts";
import { tokenSource } from "../../functions/manifest/token-sources.ts";
import { check } from "../../infra/compiler/check/check.ts";
import { readPresets } from "../../infra/compiler/check/presets.ts";
import { compile } from "../../infra/compiler/compile.ts";
import type { CheckInputs } from "../../infra/compiler/model/checked.ts";
import { renderProblems } from "../../infra/diagnostics/report.ts";
import { parseSource } from "../../infra/diagnostics/source.ts";
import { commandLine } from "../../infra/program.ts";
import { listFilesWithin } from "../../infra/project/files.ts";
import { codeRoot } from "../../infra/project/generated-files.ts";
import { registry } from "../../infra/project/registry.ts";
import { exitCodes } from "../../infra/terminal/contract.ts";
import { writeProject } from "../e2e/project.ts";
import { stepsOf } from "../readme/console.ts";

const readme = fs.readFileSync(path.join(codeRoot, "README.md"), "utf8");
const kv = { consumers: "0".repeat(32) };
const surroundings = (values = {}): CheckInputs => {
  const named = { name: "docs", file: "routes/environments/docs.yaml", value: environment().parse({ values, kv }) };
  return { registry, environment: named, presets: readPresets(codeRoot, named, registry) };
};

describe("every page", () => {
  const pages = [
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    ...listFilesWithin(codeRoot, "docs").map((it) => `docs/${it}`),
  ]
    .filter((file) => file.endsWith(".md"))
    .map((file) => [file, fs.readFileSync(path.join(codeRoot, file), "utf8")] as const);

  it("names only verbs that there are", () => {
    const commands = listFilesWithin(codeRoot, "infra/commands").map((it) => `infra/commands/${it}`);
    const code = commands.filter((it) => path.basename(it).startsWith("cli-"));
    const verbs = code.flatMap((file) =>
      [...fs.readFileSync(path.join(codeRoot, file), "utf8").matchAll(/\.command\("([a-z-]+)/g)].map(
        ([, verb]) => verb,
      ),
    );
    const named = pages.flatMap(([file, text]) =>
      [...text.matchAll(/npx postern ([a-z-]+)/g)].map(([, verb]) => [file, verb] as const),
    );
    expect(named.length).toBeGreaterThan(100);
    expect(named.filter(([, verb]) => !verbs.includes(verb))).toEqual([]);
  });

  it("names only scripts that there are", () => {
    const { scripts } = JSON.parse(fs.readFileSync(path.join(codeRoot, "package.json"), "utf8"));
    const named = pages.flatMap(([file, text]) =>
      [...text.matchAll(/npm run (?:--silent )?([a-z:-]*[a-z])/g)].map(([, script]) => [file, script] as const),
    );
    expect(named.filter(([, script]) => !Object.hasOwn(scripts, script as string))).toEqual([]);
  });

  it("names only test files that there are, and so do the scripts", () => {
    const tests = listFilesWithin(codeRoot, "test").map((it) => `test/${it}`);
    const texts = [...pages, ["package.json", fs.readFileSync(path.join(codeRoot, "package.json"), "utf8")] as const];
    const named = texts.flatMap(([file, text]) =>
      [...text.matchAll(/vitest run(?: --project [a-z]+)+ (?!--)([\w./-]+)/g)].map(
        ([, filter = ""]) => [file, filter] as const,
      ),
    );
    expect(named.length).toBeGreaterThan(8);
    expect(named.filter(([, filter]) => !tests.some((it) => it.includes(filter) && it.endsWith(".test.ts")))).toEqual(
      [],
    );
  });
});

describe("the page of commands", () => {
  it("names every command", () => {
    const page = fs.readFileSync(path.join(codeRoot, "docs/commands.md"), "utf8");
    const commands = commandLine().commands.map((it) => it.name());
    expect(commands.length).toBeGreaterThan(25);
    expect(commands.filter((name) => !page.includes(`npx postern ${name}`))).toEqual([]);
  });

  it("lists every exit code", () => {
    const page = fs.readFileSync(path.join(codeRoot, "docs/commands.md"), "utf8");
    const rows = [...page.matchAll(/^\| (\d) \| (.*) \|$/gm)].map(([, code, meaning]) => [code, meaning]);
    expect(Object.fromEntries(rows)).toEqual(exitCodes);
  });

  it("names only subcommands and options that there are", () => {
    const page = fs.readFileSync(path.join(codeRoot, "docs/commands.md"), "utf8");
    const rows = [...page.matchAll(/^\| `npx postern ([a-z-]+)(?: ([a-z-]+))?[^|]*\|(.*)$/gm)];
    expect(rows.length).toBeGreaterThan(30);
    const unknown = rows.flatMap(([row, name = "", second = "", text = ""]) => {
      const command = commandLine().commands.find((it) => it.name() === name);
      const subcommands = command?.commands ?? [];
      const options = [command, ...subcommands].flatMap((it) => it?.options.map(({ long }) => long) ?? []);
      // A backticked word beside a group of commands is a subcommand of it.
      const words = [second, ...[...text.matchAll(/`([a-z-]+)[^`]*`/g)].map(([, word = ""]) => word)].filter(Boolean);
      const isGroup = subcommands.length > 0;
      return [
        ...[...row.matchAll(/`(?:[^`]* )?(--[a-z-]+)/g)]
          .map(([, option = ""]) => option)
          .filter((it) => !options.includes(it)),
        ...words.filter((word) => isGroup && !word.startsWith("-") && !subcommands.some((it) => it.name() === word)),
      ].map((it) => `${name}: ${it}`);
    });
    expect(unknown).toEqual([]);
  });
});

describe("the source tree on the page of the architecture", () => {
  const page = fs.readFileSync(path.join(codeRoot, "docs/architecture.md"), "utf8");
  const [, section = ""] = /^## The source tree\n([\s\S]*?)^## /m.exec(page) ?? [];
  const words = [...section.matchAll(/`([\w./*-]+)`/g)].map(([, word = ""]) => word);

  it("names every folder", () => {
    const parents = [
      "functions",
      "functions/gateway",
      "functions/control",
      "infra",
      "infra/cloud",
      "infra/compiler",
      "infra/commands",
    ];
    const folders = parents.flatMap((parent) =>
      fs
        .readdirSync(path.join(codeRoot, parent), { withFileTypes: true })
        .filter((it) => it.isDirectory() && it.name !== "gateway")
        .map(({ name }) => [`${parent}/${name}`, name] as const),
    );
    expect(folders.length).toBeGreaterThan(60);
    expect(folders.filter((names) => !words.some((word) => (names as readonly string[]).includes(word)))).toEqual([]);
  });

  it("names only folders and files that there are", () => {
    const named = words.filter((word) => /^(?:functions|infra|routes|test)\//.test(word) && !word.includes("*"));
    expect(named.length).toBeGreaterThan(20);
    expect(named.filter((word) => !fs.existsSync(path.join(codeRoot, word)))).toEqual([]);
  });
});

describe("the README", () => {
  it("shows a manifest that holds", () => {
    const [, yaml = ""] = /```yaml\n([\s\S]*?)```/.exec(readme) ?? [];
    const values = {
      "api-host": "localhost",
      "identity-url": "https://i.example",
      "accounts-url": "https://a.example",
      "app-origins": ["https://app.example"],
    };
    expect(check(parseSource("routes/wallet.yaml", yaml), surroundings(values)).problems).toEqual([]);
  });

  it("shows a console that is part of the page of the sample tiers, which CI runs", () => {
    const run = stepsOf("docs/samples.md", "The first minute");
    const shown = stepsOf("README.md", "The first minute");
    expect(shown.length).toBeGreaterThan(2);
    expect(run).toEqual(expect.arrayContaining(shown));
  });

  it("shows the problem that a misspelt key really gives, as the page of the sample tiers does", () => {
    const routes = Object.fromEntries(
      fs
        .readdirSync(path.join(codeRoot, "routes"), { recursive: true, encoding: "utf8" })
        .filter((file) => file.endsWith(".yaml"))
        .map((file) => [`routes/${file}`, fs.readFileSync(path.join(codeRoot, "routes", file), "utf8")]),
    );
    const root = writeProject({
      ...routes,
      "routes/wallet.yaml": routes["routes/wallet.yaml"]?.replace("algorithms:", "algoritms:") ?? "",
    });
    const compiled = compile(root, "local");
    const [problem] = renderProblems(compiled.problems, compiled).split("\n\n");
    expect(readme).toContain(problem);
    expect(fs.readFileSync(path.join(codeRoot, "docs/samples.md"), "utf8")).toContain(problem);
  });
});

const guide = fs.readFileSync(path.join(codeRoot, "docs/manifest.md"), "utf8");
const blocks = [...guide.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, yaml = ""]) => ({
  tier: /^tier: (\S+)/m.exec(yaml)?.[1],
  yaml,
}));

describe("the guide to the language", () => {
  it("has examples", () => {
    expect(blocks.length).toBe(4);
  });
  it.each(blocks)("its manifest of $tier holds", ({ tier, yaml }) => {
    const values = { "identity-url": "https://i.example", "accounts-url": "https://a.example" };
    expect(check(parseSource(`routes/${tier}.yaml`, yaml), surroundings(values)).problems).toEqual([]);
  });
});

describe("the page about tokens", () => {
  const page = fs.readFileSync(path.join(codeRoot, "docs/tokens.md"), "utf8");
  const manifests = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, yaml = ""]) => yaml);
  it.each(manifests)("its manifest holds", (yaml) => {
    expect(
      check(parseSource("routes/page.yaml", yaml.replace(/^tier: .*$/m, "tier: page")), surroundings()).problems,
    ).toEqual([]);
  });
  it("names each way of writing a claim, and the places that the schema takes", () => {
    const paths = [...page.matchAll(/^\| `([^|]+?)`(?:, `([^`]+)`)? \| .*$/gm)]
      .flatMap(([, a, b]) => [a, b ?? []])
      .flat();
    const isKnown = (text: string): boolean =>
      isClaim(text) || tokenSource().safeParse(text.replace("<name>", "x")).success;
    expect(paths.length).toBeGreaterThanOrEqual(11);
    expect(paths.filter((it) => !isKnown(String(it).replace("` (default", "")))).toEqual([]);
  });
});

describe("the page about signed requests", () => {
  const page = fs.readFileSync(path.join(codeRoot, "docs/signatures.md"), "utf8");
  const [, head = "", body = ""] = /```http\n([\s\S]*?)\n\n([\s\S]*?)\n```/.exec(page) ?? [];
  const [, lines = ""] = /```text\n([\s\S]*?)\n```/.exec(page) ?? [];
  const [, key = ""] = /With the key `([^`]+)`/.exec(page) ?? [];
  const [start = "", ...fields] = head.split("\n");
  const headers = Object.fromEntries(fields.map((it) => [it.slice(0, it.indexOf(":")), it.slice(it.indexOf(":") + 2)]));

  it("shows the signature of the lines that it shows", () => {
    const mac = createHmac("sha256", key).update(lines).digest("base64");
    expect(headers.Signature).toBe(`sig=:${mac}:`);
  });

  it("shows a request that a gate takes", async () => {
    const [method = "", target = ""] = start.split(" ");
    const request = new Request(`https://${headers.Host}${target}`, { method, headers, body });
    const state = { once: async () => true, run: async () => undefined };
    const deps = { env: { KEY: key }, state, now: () => 1_793_491_200_000, after: () => () => {} };
    const config = {
      ...signature.spec().schema.parse({ keys: { "coffee-shop-1": { secret: "KEY", consumer: "shop" } } }),
    };
    const guard = signature.make(config, deps as never);
    const context = { facts: new Map([[BodyLimit, 1024]]), outcome: {}, caller: { requestId: "r" } };
    expect(await guard(request, context as never)).toBeUndefined();
    expect(getFact(context as never, Consumer)?.id).toBe("shop");
  });
});

const pages = ["filters", "upstreams"].flatMap((group) => {
  const folder = path.join(codeRoot, "docs/reference", group);
  return fs
    .readdirSync(folder)
    .map((name) => ({ page: `${group}/${name}`, text: fs.readFileSync(path.join(folder, name), "utf8") }));
});

describe.each(pages)("the reference page $page", ({ page, text }) => {
  it("shows an example that holds in a manifest", () => {
    const [, yaml = ""] = /```yaml\n([\s\S]*?)```/.exec(text) ?? [];
    const upstreams = page.startsWith("upstreams/")
      ? ""
      : "upstreams: { accounts: { http: https://accounts.acme.example } }\n";
    const manifest = `api: postern/v1\ntier: example\nhosts: [api.acme.example]\n${yaml}${upstreams}routes: { one: { match: "GET /{id}", to: accounts } }\n`;
    expect(check(parseSource("routes/example.yaml", manifest), surroundings()).problems).toEqual([]);
  });
});
