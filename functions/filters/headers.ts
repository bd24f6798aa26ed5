/** Sets and removes headers: of the request before the service sees it, of the response before the client does. */
import * as z from "zod";
import { explain } from "../gateway/complaint.ts";
import { freeHeaderName } from "../gateway/names.ts";
import { aboutFilter, type Config } from "../gateway/part.ts";
import { piecesOf, template } from "../gateway/references.ts";
import { secret, secretOf } from "../gateway/secrets.ts";
import type { Deps, Guard, HeaderEdit } from "../gateway/types.ts";

const text = () =>
  z
    .string()
    .regex(/^[\x20-\x7e]*$/, "a header's value is one line of ASCII")
    .superRefine(explain(piecesOf));

const edits = <Value extends z.ZodType>(value: Value) =>
  z.strictObject({
    set: z
      .record(freeHeaderName(), value)
      .default({})
      .describe("Headers and their values, which may hold references; where one is missing, the header is removed"),
    remove: z.array(freeHeaderName()).default([]).describe("Headers to remove"),
  });

/** A service's own credential may be a secret; a client is told none. */
const textOrSecret = () => z.union([text(), secret()], "a text, or { secret: NAME }");

export const spec = () =>
  aboutFilter({
    kind: "guard",
    phase: "content",
    schema: z.strictObject({
      request: edits(textOrSecret()).prefault({}).describe("What the service sees"),
      response: edits(text()).prefault({}).describe("What the client sees"),
    }),
    example: {
      request: { set: { "x-account": "{path.id}", "x-called-by": "gateway" }, remove: ["cookie"] },
      response: { set: { "strict-transport-security": "max-age=31536000" }, remove: ["server"] },
    },
    codes: {},
    references: ({ request, response }) =>
      Object.entries({ request, response }).flatMap(([side, { set }]) =>
        Object.entries(set).flatMap(([key, value]) =>
          typeof value === "string" ? [{ path: [side, "set", key], text: value }] : [],
        ),
      ),
    secrets: ({ request }) =>
      Object.values(request.set).flatMap((value) => (typeof value === "string" ? [] : [value.secret])),
  });

export const make = (config: Config<typeof spec>, deps: Deps): Guard => {
  const outbound = editsOf(config.request, deps);
  const inbound = editsOf(config.response, deps);
  return (request, context) => {
    for (const edit of outbound) context.outbound.push(edit(request, context));
    for (const edit of inbound) context.inbound.push(edit(request, context));
    return undefined;
  };
};

type Edit = (...args: Parameters<Guard>) => HeaderEdit;

const editsOf = ({ set, remove }: Config<typeof spec>["request"], deps: Deps): Edit[] => [
  ...remove.map(
    (header): Edit =>
      () => ["delete", header],
  ),
  ...Object.entries(set).map(([header, text]): Edit => {
    if (typeof text !== "string") {
      const edit = ["set", header, secretOf(text.secret, deps)] as const;
      return () => edit;
    }
    const value = template(text, "header");
    return (request, context) => {
      const written = value(request, context);
      return written === undefined ? ["delete", header] : ["set", header, written];
    };
  }),
];
