/** A row: parameters or a body of an operation, and requests that it accepts and refuses. */
import type { Row } from "../row.ts";

/** What is sent: a query (`?a=1`), a segment of the path (`/blue`), or headers and a body. */
export type Sent =
  | string
  | { readonly headers?: Record<string, string>; readonly body?: string; readonly query?: string };

export interface ParameterRow extends Row {
  readonly version?: "3.0.3" | "3.1.1";
  /** Parameters of the operation. */
  readonly parameters?: readonly object[];
  /** Its `content`. */
  readonly content?: object;
  /** Of `components`. */
  readonly schemas?: Readonly<Record<string, object>>;
  readonly takes: readonly Sent[];
  readonly refuses: readonly Sent[];
}

type More = Readonly<Record<string, unknown>>;

export const query = (schema: object, more: More = {}, name = "color") => ({ in: "query", name, schema, ...more });
export const segment = (schema: object, more: More = {}) => ({
  in: "path",
  name: "color",
  required: true,
  schema,
  ...more,
});
export const header = (schema: object, more: More = {}) => ({ in: "header", name: "X-Color", schema, ...more });
export const cookie = (schema: object, more: More = {}) => ({ in: "cookie", name: "color", schema, ...more });

export const colour = { enum: ["blue", "black", "brown"] };
export const colours = { type: "array", items: colour, maxItems: 3 };
const channel = { type: "integer", maximum: 255 };
/** The object of the style table. */
export const rgb = { type: "object", properties: { R: channel, G: channel, B: channel }, required: ["R"] };

export const table = "OpenAPI 3.1.1, style examples";
export const form = (body: string): Sent => ({
  headers: { "content-type": "application/x-www-form-urlencoded" },
  body,
});

/** Each part is its headers and its content. */
export const multipart = (...parts: readonly (readonly [headers: string, content: string])[]): Sent => ({
  headers: { "content-type": 'multipart/form-data; boundary="b-1"' },
  body: `${parts.map(([headers, content]) => `--b-1\r\n${headers}\r\n\r\n${content}\r\n`).join("")}--b-1--\r\n`,
});
export const field = (name: string, content: string, more = ""): readonly [string, string] => [
  `Content-Disposition: form-data; name="${name}"${more}`,
  content,
];
