/** Sets, adds and removes headers of the request to the service and of the response to the client. */
import * as z from "zod";
import { compileTemplate, parseTemplate } from "../gateway/core/references.ts";
import { secretOf } from "../gateway/core/secrets.ts";
import type { Deps, Guard, HeaderEdit } from "../gateway/core/types.ts";
import { type Config, defineFilter } from "../gateway/part.ts";
import { freeHeaderName } from "../manifest/names.ts";
import { checkWith } from "../manifest/refine.ts";
import { secret } from "../manifest/secret.ts";

const text = () =>
  z
    .string()
    .regex(/^[\x20-\x7e]*$/, "a header's value is one line of ASCII")
    .superRefine(checkWith(parseTemplate));

const edits = <Value extends z.ZodType>(value: Value) =>
  z.strictObject({
    set: z
      .record(freeHeaderName(), value)
      .default({})
      .describe(
        "Headers to set. Values may hold references: characters other than visible ASCII, and `%`, are percent-encoded; when a reference has no value, the header is removed",
      ),
    add: z
      .record(freeHeaderName(), value)
      .default({})
      .describe("Headers to add a value to; when a reference has no value, none is added"),
    remove: z.array(freeHeaderName()).default([]).describe("Headers to remove"),
  });

/** A request header may hold a secret, such as a credential of the service. A response header may not. */
const textOrSecret = () => z.union([text(), secret()], "a text, or { secret: NAME }");

export const spec = () =>
  defineFilter({
    kind: "guard",
    phase: "content",
    schema: z.strictObject({
      request: edits(textOrSecret()).prefault({}).describe("Edits of the request to the service"),
      response: edits(text()).prefault({}).describe("Edits of the response to the client"),
    }),
    example: {
      request: { set: { "x-account": "{path.id}", "x-called-by": "gateway" }, remove: ["cookie"] },
      response: { set: { "strict-transport-security": "max-age=31536000" }, remove: ["server"] },
    },
    codes: {},
    references: ({ request, response }) =>
      Object.entries({ request, response }).flatMap(([side, { set, add }]) =>
        Object.entries({ set, add }).flatMap(([how, values]) =>
          Object.entries(values).flatMap(([key, value]) =>
            typeof value === "string" ? [{ path: [side, how, key], text: value }] : [],
          ),
        ),
      ),
    secrets: ({ request: { set, add } }) =>
      [set, add].flatMap(Object.values).flatMap((value) => (typeof value === "string" ? [] : [value.secret])),
    removes: (names) => `headers: { request: { remove: [${names.join(", ")}] } }`,
    security: ({ request: { set, remove } }) => ({ requestHeaders: { set, remove, at: ["request", "set"] } }),
  });

export const make = (config: Config<typeof spec>, deps: Deps): Guard => {
  const outbound = editsOf(config.request, deps);
  const inbound = editsOf(config.response, deps);
  return (request, context) => {
    record(context.outbound, outbound, request, context);
    record(context.inbound, inbound, request, context);
    return undefined;
  };
};

type Edit = (...args: Parameters<Guard>) => HeaderEdit | undefined;

const record = (into: HeaderEdit[], edits: readonly Edit[], ...args: Parameters<Guard>): void => {
  for (const edit of edits) {
    const headerEdit = edit(...args);
    if (headerEdit !== undefined) into.push(headerEdit);
  }
};

const editsOf = ({ set, add, remove }: Config<typeof spec>["request"], deps: Deps): Edit[] => [
  ...remove.map(
    (header): Edit =>
      () => ["delete", header],
  ),
  ...Object.entries(set).map(([header, text]) => editOf("set", header, text, deps)),
  ...Object.entries(add).map(([header, text]) => editOf("append", header, text, deps)),
];

type Value = Config<typeof spec>["request"]["set"][string];

const editOf = (op: "set" | "append", header: string, text: Value, deps: Deps): Edit => {
  if (typeof text !== "string") {
    const edit = [op, header, secretOf(text.secret, deps)] as const;
    return () => edit;
  }
  const value = compileTemplate(text, "header");
  return (request, context) => {
    const text = value(request, context);
    if (text !== undefined) return [op, header, text];
    return op === "set" ? ["delete", header] : undefined;
  };
};
