/** Validates requests against the API's OpenAPI document or JSON Schemas: parameters, media type, JSON and form bodies. The checks are compiled into the gate. */
import * as z from "zod";
import { Body, getFact } from "../gateway/core/facts.ts";
import type {
  BodyCheck,
  ContentCheck,
  OperationCheck,
  ParameterCheck,
  SchemaCheck,
} from "../gateway/core/ports/validators.ts";
import { type Codes, refuse, upstreamCodes } from "../gateway/core/problems.ts";
import type { Context, Deps, FilterInstance, Guard } from "../gateway/core/types.ts";
import { type Config, defineFilter } from "../gateway/part.ts";
import { readBody } from "../gateway/proxy/request-body.ts";
import { announcedLength, hasBody } from "../gateway/proxy/send.ts";
import { contentCheckFor, contentReader, isPlain, isUnicode } from "../gateway/serialization/contents.ts";
import {
  emptyValue,
  parameterValue,
  type RequestParameters,
  requestParameters,
} from "../gateway/serialization/parameters.ts";
import { accepted, type Choose, firstRefused, Unreadable } from "../gateway/serialization/readings.ts";
import { examples } from "./validate/examples.ts";

const codes = {
  "parameters-invalid": { status: 400, title: "Invalid parameter" },
  "body-missing": { status: 400, title: "Request body required" },
  "body-malformed": { status: 400, title: "Malformed request body" },
  "body-invalid": { status: 422, title: "Invalid request body" },
  "content-type-unsupported": { status: 415, title: "Unsupported media type" },
} as const satisfies Codes;

const bodyCodes = ["body-missing", "body-malformed", "body-invalid", "content-type-unsupported"] as const;

/** A file of `routes/schemas`, or an inline JSON Schema. */
const schemaOf = (what: string) =>
  z
    .union([
      z
        .string()
        .regex(
          /^(?:schemas|openapi)\/(?:[\w-][\w.-]*\/)*[\w-][\w.-]*\.(?:json|ya?ml)(?:#(?:\/.*)?)?$/,
          "a file of routes/schemas: schemas/order.json, or schemas/shop.yaml#/$defs/order",
        ),
      z.record(z.string(), z.unknown()),
    ])
    .optional()
    .describe(what);

export const spec = () =>
  defineFilter({
    kind: "guard",
    phase: "content",
    enforcing: "tightens",
    schema: z
      .strictObject({
        openapi: z
          .string()
          .regex(
            /^openapi\/(?:[\w-][\w.-]*\/)*[\w-][\w.-]*\.(?:json|ya?ml)$/,
            "a file of routes/openapi: openapi/shop.yaml",
          )
          .optional()
          .describe(
            "An OpenAPI document, 3.0 to 3.2: a file of `routes/openapi`. Each route is checked by the operation of its path",
          ),
        operation: z
          .string()
          .min(1)
          .max(200)
          .optional()
          .describe("The `operationId`, when the route's path differs from the document's"),
        path: schemaOf("Instead of a document, a JSON Schema of the captures: a map with `properties`"),
        query: schemaOf("A JSON Schema of the query parameters; `additionalProperties: false` allows no others"),
        header: schemaOf("A JSON Schema of headers"),
        cookie: schemaOf("A JSON Schema of cookies"),
        body: schemaOf("A JSON Schema of JSON bodies: the schema, or a file of `routes/schemas`"),
      })
      .refine(({ openapi, operation, ...parts }) => (openapi === undefined) === Object.values(parts).some((it) => it), {
        message: "requests are checked either by `openapi`, or by `body`, `query`, `path`, `header` and `cookie`",
        // An unknown key is reported alone, without the missing one.
        when: ({ issues }) => issues.length === 0,
      })
      .refine(({ openapi, operation }) => openapi !== undefined || operation === undefined, {
        message: "an operation is one of a document: put `openapi` beside it",
      }),
    short: "openapi",
    example: { openapi: "openapi/shop.yaml" },
    codes: {
      ...codes,
      "body-too-large": upstreamCodes["body-too-large"],
      "body-incomplete": upstreamCodes["body-incomplete"],
      "body-late": upstreamCodes["body-late"],
    },
    keysOfCode: {
      "parameters-invalid": ["openapi", "query", "path", "header", "cookie"],
      ...Object.fromEntries(bodyCodes.map((code) => [code, ["openapi" as const, "body" as const]])),
    },
    impossibleCodes: ({ openapi, body }) => (openapi || body ? [] : ["body-too-large", "body-incomplete", "body-late"]),
    readsBody: true,
    checks: ({ openapi, operation, ...parts }) => (openapi === undefined ? { parts } : { openapi, operation }),
    examples: examples(),
  });

interface ErrorItem {
  /** A pointer into the body (RFC 6901). */
  readonly pointer?: string;
  readonly in?: string;
  readonly name?: string;
  readonly detail: string;
}

/** The most errors of one response. */
const maxErrors = 10;
const maxTextLength = 200;

export const make = (_: Config<typeof spec>, deps: Deps, { id }: FilterInstance): Guard => {
  const routes = deps.validators?.[id];
  if (!routes) throw new Error(`this gate was linked without the checks of the filter "${id}"; rebuild it`);
  return (request, context) => {
    const operation = operationFor(routes[context.route.name], request.method);
    if (!operation) return undefined;
    const parameters = requestParameters(request, context);
    const errors = [
      ...operation.parameters.flatMap((it) => parameterError(it, parameters) ?? []),
      ...unknownParameters(operation, parameters),
    ];
    if (errors.length > 0) return refuse(context, codes, "parameters-invalid", { errors: errors.slice(0, maxErrors) });
    return operation.body ? checkBody(operation.body, request, context, deps) : undefined;
  };
};

/** @returns undefined for a preflight, which is not an operation */
const operationFor = (
  methods: Readonly<Record<string, OperationCheck | undefined>> | undefined,
  method: string,
): OperationCheck | undefined => {
  if (method === "OPTIONS") return undefined;
  const names = method === "HEAD" ? [method, "GET", "ANY"] : [method, "ANY"];
  const name = names.find((it) => methods && Object.hasOwn(methods, it));
  const found = name === undefined ? undefined : methods?.[name];
  if (!found) throw new Error(`no check was built for ${method} here`);
  return found;
};

const parameterError = (it: ParameterCheck, parameters: RequestParameters): ErrorItem | undefined => {
  const schemaError = schemaErrorOf(
    (choose) => parameterValue(it, parameters, choose),
    (value) => (value === undefined ? !it.required : value === emptyValue || it.check(value)),
    it.check,
    "",
  );
  return schemaError && { in: it.in, name: it.name, ...schemaError };
};

/** Reports query parameters that the operation does not define. Their names are not repeated to the client. */
const unknownParameters = ({ only }: OperationCheck, { query }: RequestParameters): readonly ErrorItem[] => {
  if (!only || namesOf(query).every((it) => only.query.includes(it))) return [];
  return [{ in: "query", detail: `accepts only ${only.query.join(", ") || "its path"}`.slice(0, maxTextLength) }];
};

/** A query with too many fields counts as one with an unknown parameter. */
const namesOf = (query: RequestParameters["query"]): readonly string[] => {
  try {
    return [...query().keys()];
  } catch {
    return [""];
  }
};

/** @returns undefined when an interpretation of the value is valid */
const schemaErrorOf = (
  read: (choose: Choose) => unknown,
  isValid: (value: unknown) => boolean,
  check: SchemaCheck,
  root: string,
): Pick<ErrorItem, "pointer" | "detail"> | undefined => {
  const pointerTo = (at: string) =>
    root === "" && at === "" ? {} : { pointer: `${root}${at}`.slice(0, maxTextLength) };
  try {
    const refused = firstRefused(read, isValid);
    if (refused === accepted) return undefined;
    if (refused instanceof Unreadable) return { ...pointerTo(refused.pointer ?? ""), detail: refused.detail };
    if (refused === undefined) return { detail: "is required" };
    check(refused);
  } catch (error) {
    // A recursive schema is followed as deep as the value goes, so the stack may overflow.
    if (error instanceof RangeError) return { ...pointerTo(""), detail: "is nested too deeply" };
    throw error;
  }
  // Of several alternatives (`anyOf`), the error that lies deepest is the most likely one.
  const schemaError = check.errors?.reduce((best, it) =>
    it.instancePath.length > best.instancePath.length ? it : best,
  );
  const detail = (schemaError?.message ?? "is invalid").slice(0, maxTextLength);
  return { ...pointerTo(schemaError?.instancePath ?? ""), detail };
};

const checkBody = (
  { required, types }: BodyCheck,
  request: Request,
  context: Context,
  deps: Deps,
): Response | undefined | Promise<Response | undefined> => {
  const missing = () => (required ? refuse(context, codes, "body-missing") : undefined);
  if (!hasBody(request) && !getFact(context, Body)?.byteLength) return missing();
  const field = request.headers.get("content-type") ?? "";
  const content = contentCheckFor(types, field);
  if (content === undefined) {
    const other = () =>
      refuse(context, codes, "content-type-unsupported", {
        detail: `Supported media types: ${Object.keys(types).join(", ")}`.slice(0, maxTextLength),
      });
    // A chunked body may be empty.
    if (announcedLength(request) !== undefined) return other();
    return readBody(request, context, deps).then((body) => (body.byteLength === 0 ? missing() : other()));
  }
  if (content === null) return undefined;
  const unsupported = (detail: string, headers: Record<string, string> = {}) =>
    refuse(context, codes, "content-type-unsupported", { detail, headers });
  if (!isPlain(request))
    return unsupported("Send the body without Content-Encoding", { "accept-encoding": "identity" });
  if (!isUnicode(field)) return unsupported("JSON and form bodies must be UTF-8");
  return readBody(request, context, deps).then((body) =>
    body.byteLength === 0 ? missing() : checkContent(content, field, body, context),
  );
};

const checkContent = (
  content: ContentCheck,
  field: string,
  body: Uint8Array,
  context: Context,
): Response | undefined => {
  try {
    const schemaError = schemaErrorOf(contentReader(content, field, body), content.check, content.check, "#");
    return schemaError && refuse(context, codes, "body-invalid", { errors: [schemaError] });
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    if (error.pointer === undefined)
      return refuse(context, codes, "body-malformed", { detail: `The body ${error.detail}` });
    const schemaError = {
      pointer: `#${error.pointer}`.slice(0, maxTextLength),
      detail: error.detail.slice(0, maxTextLength),
    };
    return refuse(context, codes, "body-invalid", { errors: [schemaError] });
  }
};
