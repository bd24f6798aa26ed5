/**
 * The law suite: what holds for every filter and upstream, Postern's own and those of projects. Each law is a function that
 * throws, so that any test framework runs them, and `postern test` without one.
 */
import type { ZodType } from "zod";
import type { Deps, Guard, Handler } from "../gateway/core/types.ts";
import type { Binding, FilterModule, FilterSpec, UpstreamModule, UpstreamSpec } from "../gateway/part.ts";
import { equal, holds, omits } from "./assert.ts";
import { type FakeDeps, fakeDeps, filterInstance, type GateOptions, gateHarness } from "./gate-harness.ts";

export interface Law {
  /** What the part does: "refuses unknown keys". */
  readonly name: string;
  /** @throws if the part does not */
  readonly run: () => void | Promise<void>;
}

export interface LawOptions {
  /** Makes the outside world of a part; by default all of it is fake. */
  readonly deps?: (over: Partial<Deps>) => FakeDeps;
}

/** A part with its example's configuration, and what that needs. */
interface Subject {
  readonly name: string;
  readonly spec: FilterSpec | UpstreamSpec;
  readonly make: (config: unknown, deps: Deps, place?: object) => unknown;
  readonly config: unknown;
  readonly bindings: readonly Binding[];
  readonly secrets: readonly string[];
  readonly deps: NonNullable<LawOptions["deps"]>;
}

/**
 * The laws of one part.
 * @param name that manifests use
 * @throws if `spec()` throws, or its schema refuses its example
 */
export const laws = (
  name: string,
  module: FilterModule | UpstreamModule,
  { deps = fakeDeps }: LawOptions = {},
): Law[] => {
  const spec = module.spec();
  const config: unknown = (spec.schema as ZodType).parse(spec.example);
  const subject: Subject = {
    name,
    spec,
    make: module.make as Subject["make"],
    config,
    bindings: spec.bindings?.(config) ?? [],
    secrets: spec.secrets?.(config) ?? [],
    deps,
  };
  return [
    ...schemaLaws(subject),
    ...linkLaws(subject),
    { name: "answers a request, or refuses it with one of its codes", run: () => answers(subject) },
    ...(spec.kind === "guard" ? guardLaws(subject, spec) : []),
  ];
};

const schemaLaws = ({ spec, config }: Subject): Law[] => {
  const schema = spec.schema as ZodType & { readonly shape?: Readonly<Record<string, ZodType>> };
  return [
    {
      name: "parses its example, idempotently",
      run: () => equal(schema.parse(config), config, "its parsed configuration, parsed again"),
    },
    {
      name: "has a configuration that survives JSON",
      run: () => equal(JSON.parse(JSON.stringify(config)), config, "its configuration in a plan"),
    },
    {
      name: "refuses unknown keys",
      run: () => {
        const { success } = schema.safeParse({ ...(spec.example as object), "no-such-key": 1 });
        holds(!success, "its schema accepts any key; write z.strictObject");
      },
    },
    {
      name: "describes every key of its configuration",
      run: () => {
        for (const [key, { description = "" }] of Object.entries(schema.shape ?? {}))
          holds(description.length >= 5, `the key \`${key}\` has no description; add .describe("…")`);
      },
    },
    {
      name: "has codes with a status of 4xx or 5xx and a title",
      run: () => {
        for (const [code, { status, title }] of Object.entries(spec.codes as FilterSpec["codes"])) {
          holds(/^[a-z]+(?:-[a-z]+)*$/.test(code), `the code "${code}" is not lower case with hyphens`);
          holds(status >= 400 && status <= 599, `${code} has the status ${status}`);
          holds(title !== "", `${code} has no title`);
        }
      },
    },
  ];
};

const secretValue = "a-value-that-nobody-may-see";

/** Fake bindings and secrets for a part. */
const depsFor = ({ name, bindings, secrets, deps }: Subject, over: Partial<Deps> = {}): FakeDeps => {
  const service = { fetch: async () => new Response("ok"), get: async () => null };
  const bound = bindings.flatMap((it): [string, unknown][] =>
    it.kind === "state" || it.kind === "cache" ? [] : [[it.binding, service]],
  );
  // Checks of the harness's only route.
  const checks = { all: { GET: { parameters: [] } } };
  return deps({
    env: Object.fromEntries([...bound, ...secrets.map((secret) => [secret, secretValue])]),
    validators: { [filterInstance.id]: checks, [name]: checks },
    ...over,
  });
};

const linkLaws = (subject: Subject): Law[] => {
  const { make, config, secrets } = subject;
  const forbidden = (what: string) => () => {
    throw new Error(`it uses ${what} when it is linked; a version would not start at the edge`);
  };
  const outside = ["now", "random", "uuid", "sleep", "after", "fetch"] as const;
  const linked: Law = {
    name: "is linked without I/O, clock or randomness",
    run: () => {
      const none = Object.fromEntries(outside.map((it) => [it, forbidden(`deps.${it}`)]));
      equal(typeof make(config, depsFor(subject, none), filterInstance), "function", "what make() returns");
    },
  };
  const missing: Law = {
    name: "is not linked without its secrets, and names the missing one",
    run: () => {
      for (const name of secrets) {
        holds(/^[A-Z][A-Z0-9_]{0,62}$/.test(name), `"${name}" is not a secret's name`);
        const others = depsFor({ ...subject, secrets: secrets.filter((it) => it !== name) });
        const remedy = `the secret ${name} is not set; set it with \`postern secrets set ${name} --env <environment>\``;
        const thrown = thrownBy(() => make(config, others, filterInstance));
        holds(thrown.includes(remedy), `it is linked without ${name}; read secrets with secretOf()`);
      }
    },
  };
  return secrets.length > 0 ? [linked, missing] : [linked];
};

const thrownBy = (work: () => unknown): string => {
  try {
    work();
    return "";
  } catch (error) {
    return String(error);
  }
};

const answersKeys = async (): Promise<Response> => Response.json({ keys: [] });

/** A gate with the part, between a client and a service that answers. */
const gateWith = (subject: Subject, fakes: FakeDeps, options: Partial<GateOptions> = {}, place = filterInstance) => {
  const { name, spec, make, config } = subject;
  const setting = { fakeDeps: fakes, ...options };
  return spec.kind === "upstream"
    ? gateHarness({}, { ...setting, upstream: (_, deps) => make(config, deps, place) as Handler })
    : gateHarness(
        { [name]: (deps) => make(config, deps, place) as Guard },
        { filters: { [name]: { kind: spec.kind } }, ...setting },
      );
};

const answers = async (subject: Subject): Promise<void> => {
  const { send } = gateWith(subject, depsFor(subject, { fetch: answersKeys }));
  const { status, code = "", headers, text, line } = await send("GET /");
  if (status === 401)
    holds("www-authenticate" in headers, "it answers 401 without www-authenticate (RFC 9110, 15.5.2)");
  omits([headers, text, line], secretValue, "it shows a secret in a response or in the log");
  const known = Object.keys(subject.spec.codes);
  holds(
    status < 400 || known.includes(code),
    `it answers ${status} with the code "${code}", which is not one of its codes`,
  );
};

/** Requests that trigger what guards do besides refusing: preflights, redirects, own responses, edits. */
const requests: readonly (readonly [string, RequestInit])[] = [
  ["GET /", {}],
  ["POST /", { body: "{}", headers: { "content-type": "application/json" } }],
  ["OPTIONS /", { headers: { origin: "https://app.acme.example", "access-control-request-method": "GET" } }],
];

const guardLaws = (subject: Subject, { enforcing, tighten }: FilterSpec): Law[] => [
  ...(enforcing === "tightens"
    ? [{ name: "only refuses, since its spec lets an overlay enforce it", run: () => onlyRefuses(subject) }]
    : []),
  ...(tighten?.limits !== undefined
    ? [{ name: "holds requests to the rates that an overlay adds, besides its own", run: () => holdsRates(subject) }]
    : []),
  { name: "changes nothing when shadowed", run: () => changesNothing(subject) },
];

const onlyRefuses = async (subject: Subject): Promise<void> => {
  for (const [line, init] of requests) {
    const { send } = gateWith(subject, depsFor(subject, { fetch: answersKeys }));
    const { status, upstream } = await send(line, init);
    const plain = await gateHarness({}, { fakeDeps: subject.deps({}) }).send(line, init);
    const passed = status === plain.status && upstream.length === plain.upstream.length;
    const refused = status >= 400 && upstream.length === 0;
    holds(passed || refused, `it answers ${line} with ${status}; without \`enforcing\`, no overlay may enforce it`);
  }
};

const holdsRates = async (subject: Subject): Promise<void> => {
  const { send } = gateWith(subject, depsFor(subject), {}, { ...filterInstance, limits: ["1/day"] });
  const statuses = [(await send("GET /")).status, (await send("GET /")).status];
  holds((statuses[0] ?? 0) < 400, `it refuses the first request at 1/day with ${statuses[0]}`);
  holds((statuses[1] ?? 0) >= 400, "it lets a second request pass at 1/day; read place.limits in make()");
};

const changesNothing = async (subject: Subject): Promise<void> => {
  const { name } = subject;
  const init = { headers: { accept: "text/plain" } };
  const plain = await gateHarness({}, { fakeDeps: subject.deps({}) }).send("GET /", init);
  const shadowed = await gateWith(subject, depsFor(subject), { filters: { [name]: { mode: "shadow" } } }).send(
    "GET /",
    init,
  );
  equal(shadowed.status, plain.status, "the status of a request");
  equal(shadowed.headers, plain.headers, "the headers of a response");
  equal(shadowed.upstream, plain.upstream, "what the service receives");
  equal(Object.keys((shadowed.line?.shadow ?? {}) as object), [name], "the shadowed decisions in the log");
};
