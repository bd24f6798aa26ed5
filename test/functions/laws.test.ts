/** The law suite: rules for every registered part. */
import { describe, expect, it } from "vitest";
import type { ZodType } from "zod";
import { filters } from "../../functions/filters/registry.gen.ts";
import type { Deps, Guard, Handler } from "../../functions/gateway/core/types.ts";
import type { Binding } from "../../functions/gateway/part.ts";
import { upstreams } from "../../functions/upstreams/registry.gen.ts";
import { fakeDeps, filterInstance, gateHarness } from "./gate-harness.ts";

interface Needs {
  readonly bindings: readonly Binding[];
  readonly secrets: readonly string[];
}

/** Fake bindings and secrets for a part. */
const fakeDepsFor = ({ bindings, secrets }: Needs, more: Partial<Deps> = {}) => {
  const service = { fetch: async () => new Response("ok"), get: async () => null };
  const env = [
    ...bindings.flatMap((it): [string, unknown][] =>
      it.kind === "state" || it.kind === "cache" ? [] : [[it.binding, service]],
    ),
    ...secrets.map((name): [string, unknown] => [name, secretValue]),
  ];
  // Checks of the harness's only route.
  const validators = Object.fromEntries(
    [filterInstance.id, ...Object.keys(filters)].map((id) => [id, { all: { GET: { parameters: [] } } }]),
  );
  return fakeDeps({ env: Object.fromEntries(env), validators, ...more });
};

const secretValue = "a-value-that-nobody-may-see";

const parts = [
  ...Object.entries(filters).map(([name, module]) => ({ name, group: "filter", ...module, spec: module.spec() })),
  ...Object.entries(upstreams).map(([name, module]) => ({ name, group: "upstream", ...module, spec: module.spec() })),
];

describe.each(parts)("$group $name", ({ name, spec, make }) => {
  const schema = spec.schema as ZodType;
  const config = schema.parse(spec.example);
  const needs: Needs = { bindings: spec.bindings?.(config) ?? [], secrets: spec.secrets?.(config) ?? [] };

  it("parses its example, idempotently", () => {
    expect(schema.parse(config)).toEqual(config);
  });

  it("has a configuration that survives JSON", () => {
    expect(JSON.parse(JSON.stringify(config))).toEqual(config);
  });

  it("refuses unknown keys", () => {
    expect(schema.safeParse({ ...spec.example, "no-such-key": 1 }).success).toBe(false);
  });

  it("describes every key of its configuration", () => {
    for (const [key, field] of Object.entries((spec.schema as { shape?: Record<string, ZodType> }).shape ?? {}))
      expect(`${key}: ${field.description ?? ""}`).toMatch(/: .{5,}/);
  });

  it("has codes with a status of 4xx or 5xx and a title", () => {
    for (const [code, { status, title }] of Object.entries(
      spec.codes as Record<string, { status: number; title: string }>,
    )) {
      expect(code).toMatch(/^[a-z]+(?:-[a-z]+)*$/);
      expect(status).toBeGreaterThanOrEqual(400);
      expect(title).not.toBe("");
    }
  });

  it("is linked without I/O, clock or randomness", () => {
    const forbidden = (what: string) => () => {
      throw new Error(`${what} at link time`);
    };
    const fakeDeps = fakeDepsFor(needs, {
      now: forbidden("now"),
      random: forbidden("random"),
      uuid: forbidden("uuid"),
      sleep: forbidden("sleep"),
      after: forbidden("after"),
      fetch: forbidden("fetch"),
    });
    expect(typeof make(config, fakeDeps, filterInstance)).toBe("function");
  });

  it.runIf(needs.secrets.length > 0)("is not linked without its secrets, and names the missing one", () => {
    for (const name of needs.secrets) {
      expect(name).toMatch(/^[A-Z][A-Z0-9_]{0,62}$/);
      const others = needs.secrets.filter((it) => it !== name);
      const remedy = `the secret ${name} is not set; set it with \`postern secrets set ${name} --env <environment>\``;
      expect(() => make(config, fakeDepsFor({ ...needs, secrets: others }), filterInstance)).toThrow(remedy);
    }
  });

  it("answers a request, or refuses it with one of its codes", async () => {
    const setting = { fakeDeps: fakeDepsFor(needs, { fetch: async () => Response.json({ keys: [] }) }) };
    const { send } =
      spec.kind === "upstream"
        ? gateHarness({}, { ...setting, upstream: (_, deps) => make(config, deps, filterInstance) as Handler })
        : gateHarness(
            { [name]: (deps) => make(config, deps, filterInstance) as Guard },
            { ...setting, filters: { [name]: { kind: spec.kind } } },
          );
    const answer = await send("GET /");
    if (answer.status === 401) expect(answer.headers["www-authenticate"]).toBeDefined();
    expect(JSON.stringify([answer.headers, answer.text, answer.line])).not.toContain(secretValue);
    expect(answer.status < 400 || Object.keys(spec.codes).includes(answer.code ?? "")).toBe(true);
  });
});

/** Requests that trigger what guards do besides refusing: preflights, redirects, own responses, edits. */
const requests: readonly (readonly [string, RequestInit])[] = [
  ["GET /", {}],
  ["POST /", { body: "{}", headers: { "content-type": "application/json" } }],
  ["OPTIONS /", { headers: { origin: "https://app.acme.example", "access-control-request-method": "GET" } }],
];

describe.each(parts.filter(({ spec }) => spec.kind === "guard"))("guard $name", ({ name, spec, make }) => {
  it("only refuses, if its spec lets an overlay enforce it", async () => {
    if (!("enforcing" in spec) || spec.enforcing !== "tightens") return;
    const config = (spec.schema as ZodType).parse(spec.example);
    const needs = { bindings: spec.bindings?.(config) ?? [], secrets: spec.secrets?.(config) ?? [] };
    for (const [line, init] of requests) {
      const { send } = gateHarness(
        { [name]: (deps) => make(config, deps, filterInstance) as Guard },
        { fakeDeps: fakeDepsFor(needs, { fetch: async () => Response.json({ keys: [] }) }) },
      );
      const { status, upstream } = await send(line, init);
      const plain = await gateHarness({}).send(line, init);
      const passed = status === plain.status && upstream.length === plain.upstream.length;
      expect([line, passed || (status >= 400 && upstream.length === 0)]).toEqual([line, true]);
    }
  });

  it.runIf("tighten" in spec && spec.tighten?.limits !== undefined)(
    "holds requests to the rates that an overlay adds, besides its own",
    async () => {
      const config = (spec.schema as ZodType).parse(spec.example);
      const needs = { bindings: spec.bindings?.(config) ?? [], secrets: spec.secrets?.(config) ?? [] };
      const tightened = { ...filterInstance, limits: ["1/day"] };
      const { send } = gateHarness(
        { [name]: (deps) => make(config, deps, tightened) as Guard },
        { fakeDeps: fakeDepsFor(needs) },
      );
      expect((await send("GET /")).status).toBeLessThan(400);
      expect((await send("GET /")).status).toBeGreaterThanOrEqual(400);
    },
  );

  it.runIf(["cors", "headers", "redirect", "respond", "rewrite"].includes(name))(
    "answers or edits requests, if no overlay may enforce it",
    () => {
      expect(spec).not.toHaveProperty("enforcing");
    },
  );

  it("changes nothing when shadowed", async () => {
    const config = (spec.schema as ZodType).parse(spec.example);
    const setting = {
      fakeDeps: fakeDepsFor({ bindings: spec.bindings?.(config) ?? [], secrets: spec.secrets?.(config) ?? [] }),
      filters: { [name]: { mode: "shadow" as const } },
    };
    const headers = { accept: "text/plain" };
    const plain = await gateHarness({}).send("GET /", { headers });
    const shadowed = await gateHarness({ [name]: (deps) => make(config, deps, filterInstance) as Guard }, setting).send(
      "GET /",
      {
        headers,
      },
    );
    expect([shadowed.status, shadowed.headers, shadowed.upstream]).toEqual([
      plain.status,
      plain.headers,
      plain.upstream,
    ]);
    expect(Object.keys((shadowed.line?.shadow ?? {}) as object)).toEqual([name]);
  });
});
