/** The structure in one look: which folder may import which, that nothing goes in circles, and that files stay small. */
import fs from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";

const root = path.resolve(import.meta.dirname, "../..");

const sources = (folder: string): string[] =>
  fs
    .readdirSync(path.join(root, folder), { recursive: true, encoding: "utf8" })
    // Templates are files of other projects.
    .filter((name) => name.endsWith(".ts") && !name.startsWith("init/templates"))
    .map((name) => path.join(folder, name))
    .sort();

const files = [...sources("functions"), ...sources("infra")];
const textOf = new Map(files.map((file) => [file, fs.readFileSync(path.join(root, file), "utf8")]));

interface Import {
  readonly from: string;
  /** A file of the project, or a package. */
  readonly to: string;
}

/** An import or export, and an import that a function makes when it is called. */
const statement = /^(?:import|export)\s+(?:[^"';]*?\s+from\s+)?"([^"]+)"|\bimport\("([^"]+)"\)/gm;

const imports = files.flatMap((from): Import[] =>
  [...(textOf.get(from) ?? "").matchAll(statement)].map(([, first, called]) => {
    const target = first ?? called ?? "";
    return { from, to: target.startsWith(".") ? path.join(path.dirname(from), target) : target };
  }),
);

/**
 * Every folder, lowest first: a file imports from its own folder and from folders above its own in this list. What is new
 * stands where it belongs, and what belongs nowhere is in the wrong folder.
 */
const floors = `
  functions/gateway/http
  functions/gateway/core/ports
  functions/gateway/routing
  functions/gateway/core
  functions/gateway/identity
  functions/gateway/limits
  functions/gateway/overlay
  functions/gateway/serialization
  functions/gateway/service
  functions/gateway/streaming
  functions/gateway/proxy
  functions/gateway/observability
  functions/gateway/hooks
  functions/gateway
  functions/manifest
  functions/filters
  functions/upstreams
  functions/front
  functions/state
  functions/feed
  functions/control/stats
  functions/control/telemetry/counts
  functions/control/telemetry/evidence
  functions/control/telemetry
  functions/control/exporters/otlp
  functions/control/exporters
  functions/control/tail
  functions/control/model
  functions/control/rpc
  functions/control/overlay
  functions/control/notifications
  functions/control/audit
  functions/control/cutover
  functions/control/verdict
  functions/control/planning
  functions/control/probes
  functions/control/rollout
  functions/control/wave
  functions/control/actuator
  functions/control/api
  functions/control/wiring
  functions/control/objects
  functions/testing
  functions
  infra/terminal
  infra/project
  infra/patterns
  infra/diagnostics
  infra/openapi
  infra/compiler/inputs
  infra/compiler/model
  infra/compiler/lower
  infra/compiler/check/rules
  infra/compiler/check
  infra/compiler
  infra/compiler/emit
  infra/review/core
  infra/review/effective
  infra/review/audit/rule-kit
  infra/review/audit/rules
  infra/review/audit
  infra/review/diff/grade
  infra/review/diff/picture
  infra/review/diff
  infra/review
  infra/review/import
  infra/review/import/openapi
  infra/review/import/gateway-api/resources
  infra/review/import/gateway-api
  infra/review/export
  infra/explain
  infra/cloud/account
  infra/cloud/storage
  infra/cloud/machine
  infra/cloud/fleet
  infra/cloud/ingress
  infra/cloud/workers
  infra/cloud/control
  infra/cloud/api
  infra/cloud
  infra/cases/input
  infra/cases
  infra/cases/worker
  infra/cases/mutations
  infra/repository
  infra/release
  infra/release/consumers
  infra/doctor
  infra/dev/services
  infra/dev
  infra/gen
  infra/init
  infra/upgrade
  infra/package
  infra/sim/traffic
  infra/sim/worlds
  infra/sim
  infra/bench/workers
  infra/bench/runtime
  infra/bench/report
  infra/bench/subjects
  infra/bench/measure
  infra/bench
  infra/commands
  infra/commands/authoring
  infra/commands/release
  infra/commands/review
  infra/commands/start
  infra/commands/operate
  infra
`
  .trim()
  .split(/\s+/);
/** A part may have a folder of its own name beside it: both stand on one floor. */
const folderOf = (file: string) => path.dirname(file).replace(/^(functions\/(?:filters|upstreams))\/.*/, "$1");
const floorOf = (file: string) => floors.indexOf(folderOf(file));
/** Below the entries: what tools load in Node, and tests with a world of their own. */
const isInner = (file: string) => floorOf(file) >= 0 && floorOf(file) < floors.indexOf("functions/control/objects");

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
    expect([...new Set(files.map(folderOf))].sort()).toEqual([...floors].sort());
  });

  it("go down only: from a folder to itself or to an earlier one in the list", () => {
    const inner = imports.filter(({ to }) => to.startsWith("functions/") || to.startsWith("infra/"));
    expect(shown(inner.filter(({ from, to }) => floorOf(to) > floorOf(from)))).toEqual([]);
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

  it("make no circle between folders", () => {
    const folders = imports
      .filter(({ to }) => to.endsWith(".ts"))
      .map(({ from, to }) => ({ from: folderOf(from), to: folderOf(to) }))
      .filter(({ from, to }) => from !== to);
    expect(folders.length).toBeGreaterThan(1000);
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

  it("name each error as its class", () => {
    const errors = [...textOf.values()].flatMap((text) => [
      ...text.matchAll(/class (\w+)[^{]*extends Error \{\s+(?:override )?readonly name = "(\w+)"/g),
    ]);
    expect(errors.length).toBeGreaterThan(5);
    expect(errors.filter(([, className, name]) => className !== name).map(([text]) => text)).toEqual([]);
  });

  it("of tests of functions/ begin with a sentence, too", () => {
    const tests = ["test/functions", "test/control", "test/rollouts", "test/reference"].flatMap(sources);
    const mute = tests.filter(
      (file) => !file.endsWith(".d.ts") && !fs.readFileSync(path.join(root, file), "utf8").startsWith("/**"),
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
