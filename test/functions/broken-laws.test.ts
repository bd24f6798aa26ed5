/** Each law of the suite is broken by a part that does not keep it, with a sentence that says what is wrong. */
import { expect, it } from "vitest";
import * as z from "zod";
import { type Deps, defineFilter, type FilterModule, type Guard, refuse } from "../../functions/authoring.ts";
import { laws } from "../../functions/testing/laws.ts";

const codes = { "note-refused": { status: 403, title: "Note refused" } };

/** A guard that keeps every law. */
const schema = () => z.strictObject({ note: z.string().describe("The note that is expected") });
const good = () => ({
  kind: "guard" as const,
  phase: "admission" as const,
  schema: schema(),
  example: { note: "a" },
  codes,
});
const passes = (): Guard => () => undefined;

const part = (over: object, make: unknown = passes): FilterModule =>
  ({ spec: () => defineFilter({ ...good(), ...over }), make }) as FilterModule;

/** Runs all laws. @returns what those that are broken say, by name */
const broken = async (module: FilterModule): Promise<Record<string, string>> => {
  const found: Record<string, string> = {};
  for (const { name, run } of laws("note", module))
    try {
      await run();
    } catch (error) {
      found[name] = (error as Error).message;
    }
  return found;
};

it("a part that keeps all of them breaks none", async () => {
  expect(await broken(part({}))).toEqual({});
});

it.each<[string, FilterModule, RegExp]>([
  [
    "parses its example, idempotently",
    part({
      schema: z.strictObject({
        note: z
          .string()
          .transform((it) => `${it}!`)
          .describe("The note"),
      }),
    }),
    /"a!!", and not .*"a!"|"a!!"/,
  ],
  [
    "has a configuration that survives JSON",
    part({
      schema: z.strictObject({
        note: z
          .string()
          .transform(() => new Date(0))
          .or(z.date())
          .describe("The note"),
      }),
    }),
    /in a plan/,
  ],
  ["refuses unknown keys", part({ schema: z.object({ note: z.string().describe("The note") }) }), /z\.strictObject/],
  ["describes every key of its configuration", part({ schema: z.strictObject({ note: z.string() }) }), /`note`/],
  [
    "has codes with a status of 4xx or 5xx and a title",
    part({ codes: { ok: { status: 200, title: "Fine" } } }),
    /ok has the status 200/,
  ],
  [
    "is linked without I/O, clock or randomness",
    part({}, (_: object, { now }: Deps) => (now() > 0 ? passes() : undefined)),
    /deps\.now/,
  ],
  ["is not linked without its secrets, and names the missing one", part({ secrets: () => ["NOTE_KEY"] }), /secretOf/],
  [
    "answers a request, or refuses it with one of its codes",
    part({}, (): Guard => (_, context) => refuse(context, { other: { status: 403, title: "Other" } }, "other")),
    /"other", which is not one of its codes/,
  ],
  [
    "answers a request, or refuses it with one of its codes",
    part(
      { codes: { "note-missing": { status: 401, title: "Note missing" } } },
      (): Guard => (_, context) =>
        refuse(context, { "note-missing": { status: 401, title: "Note missing" } }, "note-missing"),
    ),
    /www-authenticate/,
  ],
  [
    "answers a request, or refuses it with one of its codes",
    part(
      { secrets: () => ["NOTE_KEY"] },
      (_: object, { env }: Deps): Guard =>
        (__, context) =>
          refuse(context, codes, "note-refused", { detail: String(env.NOTE_KEY) }),
    ),
    /shows a secret/,
  ],
  [
    "only refuses, since its spec lets an overlay enforce it",
    part({ enforcing: "tightens" }, (): Guard => () => new Response("my own")),
    /answers GET \/ with 200/,
  ],
  [
    "holds requests to the rates that an overlay adds, besides its own",
    part({ tighten: { limits: () => ["10/s"] } }),
    /place\.limits/,
  ],
])("%s: %#", async (law, module, message) => {
  const found = await broken(module);
  expect(found[law]).toMatch(message);
});
