/** What the documents show is true: manifests compile, and broken ones say what is printed. */
import fs from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { environment } from "../../functions/gateway/environment.ts";
import { check } from "../../infra/compiler/check.ts";
import type { Surroundings } from "../../infra/compiler/checked.ts";
import { compile } from "../../infra/compiler/compile.ts";
import { read } from "../../infra/compiler/read.ts";
import { report } from "../../infra/compiler/report.ts";
import { readPresets } from "../../infra/compiler/surroundings.ts";
import { home } from "../../infra/gen/generated.ts";
import { registry } from "../../infra/registry.ts";
import { project } from "../e2e/city.ts";

const readme = fs.readFileSync(path.join(home, "README.md"), "utf8");
const kv = { consumers: "0".repeat(32) };
const surroundings = (values = {}): Surroundings => {
  const named = { name: "docs", file: "routes/environments/docs.yaml", value: environment().parse({ values, kv }) };
  return { registry, environment: named, presets: readPresets(home, named, registry).presets };
};

describe("the README", () => {
  it("shows a manifest that holds", () => {
    const [, yaml = ""] = /```yaml\n([\s\S]*?)```/.exec(readme) ?? [];
    const values = {
      "api-host": "localhost",
      "identity-url": "https://i.example",
      "accounts-url": "https://a.example",
      "app-origins": ["https://app.example"],
    };
    expect(check(read("routes/wallet.yaml", yaml), surroundings(values)).problems).toEqual([]);
  });

  it("shows the problem that a misspelt key really gives", () => {
    const routes = Object.fromEntries(
      fs
        .readdirSync(path.join(home, "routes"), { recursive: true, encoding: "utf8" })
        .filter((file) => file.endsWith(".yaml"))
        .map((file) => [`routes/${file}`, fs.readFileSync(path.join(home, "routes", file), "utf8")]),
    );
    const root = project({
      ...routes,
      "routes/wallet.yaml": routes["routes/wallet.yaml"]?.replace("algorithms:", "algoritms:") ?? "",
    });
    const compiled = compile(root, "local");
    expect(readme).toContain(report(compiled.problems, compiled).split("\n\n")[0]);
  });
});

const guide = fs.readFileSync(path.join(home, "docs/manifest.md"), "utf8");
const blocks = [...guide.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, yaml = ""]) => ({
  tier: /^tier: (\S+)/m.exec(yaml)?.[1],
  yaml,
}));

describe("the guide to the language", () => {
  it("has examples", () => {
    expect(blocks.length).toBe(3);
  });
  it.each(blocks)("its manifest of $tier holds", ({ tier, yaml }) => {
    const values = { "identity-url": "https://i.example", "accounts-url": "https://a.example" };
    expect(check(read(`routes/${tier}.yaml`, yaml), surroundings(values)).problems).toEqual([]);
  });
});

const pages = ["filters", "upstreams"].flatMap((group) => {
  const folder = path.join(home, "docs/reference", group);
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
    expect(check(read("routes/example.yaml", manifest), surroundings()).problems).toEqual([]);
  });
});
