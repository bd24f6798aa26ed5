/** The structure in one look: which folder may import which, that nothing goes in circles, and that files stay small. */
import fs from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";

const root = path.resolve(import.meta.dirname, "../..");

const sources = (folder: string): string[] =>
  fs
    .readdirSync(path.join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => path.join(folder, name))
    .sort();

const files = [...sources("functions"), ...sources("infra")];
const textOf = new Map(files.map((file) => [file, fs.readFileSync(path.join(root, file), "utf8")]));

interface Import {
  readonly from: string;
  /** A file of the project, or a package. */
  readonly to: string;
}

const imports = files.flatMap((from): Import[] =>
  [...(textOf.get(from) ?? "").matchAll(/^(?:import|export)\s+(?:[^"';]*?\s+from\s+)?"([^"]+)"/gm)].map(
    ([, target = ""]) => ({
      from,
      to: target.startsWith(".") ? path.join(path.dirname(from), target) : target,
    }),
  ),
);

/** Layers, innermost first: an import goes inwards or stays within its layer. */
const layers = [
  { name: "gateway core", has: /^functions\/gateway\// },
  { name: "schemas", has: /^functions\/manifest\// },
  { name: "filters and upstreams", has: /^functions\/(?:filters|upstreams|state|feed|control|front)\// },
  { name: "entries", has: /^functions\/(?:front|gate|state|control|feed|actuator|tail)\.ts$/ },
  { name: "infra", has: /^infra\// },
];
const layerOf = (file: string) => layers.findIndex(({ has }) => has.test(file));
const firstOuter = layers.findIndex(({ name }) => name === "entries");
/** Below the entries: what tools load in Node, and tests with a world of their own. */
const isInner = (file: string) => layerOf(file) >= 0 && layerOf(file) < firstOuter;

/** Every circle of a graph that a walk meets. */
const circlesIn = (edges: readonly Import[]): string[] => {
  const next = Map.groupBy(edges, ({ from }) => from);
  const circles: string[] = [];
  const done = new Set<string>();
  const walk = (at: string, trail: readonly string[]): void => {
    if (trail.includes(at)) circles.push([...trail.slice(trail.indexOf(at)), at].join(" → "));
    else if (!done.has(at)) {
      for (const { to } of next.get(at) ?? []) walk(to, [...trail, at]);
      done.add(at);
    }
  };
  for (const { from } of edges) walk(from, []);
  return circles;
};

const shown = (offenders: readonly Import[]) => offenders.map(({ from, to }) => `${from} → ${to}`);

describe("imports", () => {
  it("were found", () => {
    expect(imports.length).toBeGreaterThan(100);
    expect(files.filter((file) => layerOf(file) < 0)).toEqual([]);
  });

  it("go one way: infra → entries → filters and upstreams → schemas → gateway core", () => {
    expect(shown(imports.filter(({ from, to }) => layerOf(to) > layerOf(from)))).toEqual([]);
  });

  it("never go from functions/ to infra/, nor to Node", () => {
    const edge = imports.filter(({ from }) => from.startsWith("functions/"));
    expect(shown(edge.filter(({ to }) => to.startsWith("infra/") || to.startsWith("node:")))).toEqual([]);
  });

  it("never go from one part to another, only to the folder of its own name", () => {
    const partOf = (file: string) => /^functions\/(?:filters|upstreams)\/[^./]+/.exec(file)?.[0];
    const parts = imports.filter(
      ({ from, to }) =>
        partOf(from) &&
        partOf(to) &&
        partOf(from) !== partOf(to) &&
        !from.endsWith(".gen.ts") &&
        !to.endsWith(".gen.ts"),
    );
    expect(shown(parts)).toEqual([]);
  });

  it("of the schema library stand nowhere in the gateway, but for types: no gate carries it", () => {
    const gateway = files.filter((file) => file.startsWith("functions/gateway/"));
    expect(gateway.filter((file) => /^import (?!type ).*"zod";$/m.test(textOf.get(file) ?? ""))).toEqual([]);
  });

  it("of the platform's modules stand in entries only, since tools load the parts in Node", () => {
    const platform = imports.filter(({ from, to }) => to.startsWith("cloudflare:") && isInner(from));
    expect(shown(platform)).toEqual([]);
  });

  it("of a registry are the tools' alone", () => {
    const registries = imports.filter(({ from, to }) => to.endsWith("registry.gen.ts") && !from.startsWith("infra/"));
    expect(shown(registries)).toEqual([]);
  });

  it("make no circle", () => {
    expect(circlesIn(imports)).toEqual([]);
  });

  it("make no circle between the folders of the gateway and of its schemas", () => {
    const isOf = (file: string) => /^functions\/(?:gateway|manifest)\//.test(file);
    const folders = imports
      .filter(({ from, to }) => isOf(from) && isOf(to))
      .map(({ from, to }) => ({ from: path.dirname(from), to: path.dirname(to) }))
      .filter(({ from, to }) => from !== to);
    expect(folders.length).toBeGreaterThan(50);
    expect(circlesIn(folders)).toEqual([]);
  });
});

describe("files", () => {
  it("have no more than 250 lines", () => {
    const long = files.filter((file) => (textOf.get(file) ?? "").split("\n").length > 250);
    expect(long).toEqual([]);
  });

  it("begin with a sentence that says what they are", () => {
    const mute = files.filter(
      (file) => !file.endsWith(".gen.ts") && !/^(?:#!.*\n)?\/\*\*/.test(textOf.get(file) ?? ""),
    );
    expect(mute).toEqual([]);
  });
});

describe("filters, upstreams and the core", () => {
  it("touch no global fetch, clock, timer or chance: those are handed in", () => {
    const globals =
      /(?<![\w.])(?:fetch|setTimeout|setInterval|queueMicrotask)\(|Date\.now\(|Math\.random\(|crypto\.(?:randomUUID|getRandomValues)\(|console\./;
    const inner = files.filter(isInner);
    const offenders = inner.flatMap((file) =>
      (textOf.get(file) ?? "")
        .split("\n")
        .filter((line) => globals.test(line) && !/^\s*(?:\/?\*|\/\/)/.test(line))
        .map((line) => `${file}: ${line.trim()}`),
    );
    expect(offenders).toEqual([]);
  });

  it("keep no mutable state in a module", () => {
    const inner = files.filter(isInner);
    expect(inner.filter((file) => /^(?:let|var) /m.test(textOf.get(file) ?? ""))).toEqual([]);
  });
});
