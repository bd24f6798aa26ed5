/** Parses `multipart/form-data` (RFC 7578) strictly, so that services cannot read other parts than this gate. */
import { maxFields } from "./fields.ts";
import { Unreadable } from "./readings.ts";

export interface FormPart {
  readonly name: string;
  /** Undefined when the part is not a file. */
  readonly filename: string | undefined;
  /** `Content-Type` in lower case without parameters; undefined when absent. */
  readonly type: string | undefined;
  readonly charset: string | undefined;
  /** `Content-Transfer-Encoding` in lower case. */
  readonly transfer: string | undefined;
  readonly bytes: Uint8Array;
}

const [cr, lf, hyphen] = [13, 10, 45];
const maxHeaderBytes = 16 * 1024;

/**
 * The boundary in a media type.
 * @throws Unreadable when there is none, or more than one
 */
export const boundaryIn = (field: string): string => {
  const all = [...field.matchAll(/;\s*boundary\s*=\s*(?:"([^"\\]*)"|([^\s;"]*))/gi)];
  const [boundary = ""] = all.map(([, quoted, plain]) => quoted ?? plain ?? "");
  // RFC 2046, section 5.1.1.
  if (all.length !== 1 || !/^[\w'()+,./:=? -]{1,70}$/.test(boundary)) throw new Unreadable("has no boundary");
  return boundary;
};

/** @throws Unreadable when the body is truncated or malformed */
export const partsOf = (body: Uint8Array, boundary: string): FormPart[] => {
  const line = new TextEncoder().encode(`\r\n--${boundary}`);
  const parts: FormPart[] = [];
  // The preamble is ignored (RFC 2046, section 5.1.1).
  let at = startsWith(body, line.subarray(2), 0) ? line.length - 2 : endOf(body, line, 0);
  for (;;) {
    if (body[at] === hyphen && body[at + 1] === hyphen) return parts;
    if (parts.length === maxFields) throw new Unreadable(`has more than ${maxFields} fields`);
    const start = lineEnd(body, at);
    const end = indexOf(body, line, start - 2);
    if (end < 0) throw new Unreadable("has no closing boundary");
    parts.push(partOf(body.subarray(start, Math.max(start, end))));
    at = end + line.length;
  }
};

const endOf = (body: Uint8Array, line: Uint8Array, from: number): number => {
  const found = indexOf(body, line, from);
  if (found < 0) throw new Unreadable("has no boundary");
  return found + line.length;
};

/** Only whitespace may follow a boundary. */
const lineEnd = (body: Uint8Array, from: number): number => {
  let at = from;
  while (body[at] === 32 || body[at] === 9) at++;
  if (body[at] !== cr || body[at + 1] !== lf) throw new Unreadable("has a malformed boundary line");
  return at + 2;
};

const indexOf = (body: Uint8Array, what: Uint8Array, from: number): number => {
  for (let at = body.indexOf(cr, from); at >= 0; at = body.indexOf(cr, at + 1))
    if (startsWith(body, what, at)) return at;
  return -1;
};

const startsWith = (body: Uint8Array, what: Uint8Array, at: number): boolean => {
  for (let index = 0; index < what.length; index++) if (body[at + index] !== what[index]) return false;
  return true;
};

const blank = new Uint8Array([cr, lf, cr, lf]);

const partOf = (part: Uint8Array): FormPart => {
  const hasNone = part[0] === cr && part[1] === lf;
  const end = hasNone ? 0 : indexOf(part.subarray(0, maxHeaderBytes), blank, 0);
  if (end < 0) throw new Unreadable("has a part with incomplete headers");
  const headers = headersIn(part.subarray(0, end));
  const disposition = headers.get("content-disposition") ?? "";
  const parameters = parametersIn(disposition);
  const name = parameters.get("name");
  if (!/^form-data\s*(?:;|$)/i.test(disposition) || name === undefined)
    throw new Unreadable("has a part without a name");
  const type = headers.get("content-type");
  return {
    name,
    filename: parameters.get("filename") ?? parameters.get("filename*"),
    type: type?.split(";")[0]?.trim().toLowerCase(),
    charset: type === undefined ? undefined : parametersIn(type).get("charset")?.toLowerCase(),
    transfer: headers.get("content-transfer-encoding")?.toLowerCase(),
    bytes: part.subarray(hasNone ? 2 : end + blank.length),
  };
};

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** @throws Unreadable */
export const textOf = (bytes: Uint8Array): string => {
  try {
    return utf8.decode(bytes);
  } catch {
    throw new Unreadable("is not valid UTF-8");
  }
};

const headersIn = (bytes: Uint8Array): Map<string, string> => {
  const headers = new Map<string, string>();
  for (const line of textOf(bytes)
    .split("\r\n")
    .filter((it) => it !== "")) {
    const [, name = "", value = ""] = /^([\w!#$%&'*+.^`|~-]+):[ \t]*([^\r\n]*)$/.exec(line) ?? [];
    const key = name.toLowerCase();
    if (key === "" || headers.has(key)) throw new Unreadable("has a part with a malformed or duplicate header");
    headers.set(key, value.trim());
  }
  return headers;
};

/** Parses `form-data; name="a"`. Duplicate parameters, and `name*` (RFC 7578, section 4.2), are ambiguous. */
const parametersIn = (field: string): Map<string, string> => {
  const found = new Map<string, string>();
  for (const [, name = "", quoted, plain] of field.matchAll(
    /;\s*([\w!#$%&'*+.^`|~-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;]*))/g,
  )) {
    const key = name.toLowerCase();
    if (found.has(key) || key === "name*") throw new Unreadable("has a part with a duplicate parameter");
    found.set(key, quoted?.replaceAll(/\\(["\\])/g, "$1") ?? plain ?? "");
  }
  return found;
};
