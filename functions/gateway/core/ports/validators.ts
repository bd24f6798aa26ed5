/**
 * Types of the checks that a build compiles from schemas and the filter `validate` runs. They need no schema and no
 * eval at run time.
 */

/** A check as Ajv compiles it. */
export interface SchemaCheck {
  (value: unknown): boolean;
  errors?: readonly SchemaError[] | null;
}

export interface SchemaError {
  readonly instancePath: string;
  readonly message?: string;
}

/** A type that a text can be parsed as. */
export type ScalarKind = "string" | "number" | "integer" | "boolean" | "null";

/** The types that a schema allows, so that texts can be parsed. */
export interface ValueShape {
  /** Scalar types; absent when the value is only a list or an object. */
  readonly kinds?: readonly ScalarKind[];
  /** Present when the value may be a list. */
  readonly items?: ValueShape;
  /** Present when the value may be an object. Other properties are parsed by `rest`. */
  readonly properties?: Readonly<Record<string, ValueShape>>;
  /** Present when the schema describes unnamed properties. An exploded object then takes fields of any name. */
  readonly rest?: ValueShape;
  /** The value is a file, whose content is not checked. */
  readonly file?: true;
}

/** The styles of OpenAPI, and its two media types for single values: `text` and `json`. */
export type ParameterStyle =
  | "form"
  | "spaceDelimited"
  | "pipeDelimited"
  | "deepObject"
  | "simple"
  | "label"
  | "cookie"
  | "text"
  | "json";

/** How a value is serialized. */
export interface ValueFormat {
  readonly style: ParameterStyle;
  readonly explode: boolean;
  readonly shape: ValueShape;
}

/** A field of a form. */
export interface FieldFormat extends ValueFormat {
  /** Media types and ranges of its parts, in lower case: `image/png`, `image/*`. */
  readonly types?: readonly string[];
}

/** How an object is serialized as a form. */
export interface FormFormat {
  readonly fields: Readonly<Record<string, FieldFormat>>;
  /** Format of other fields; by default text. */
  readonly rest?: FieldFormat;
}

export interface ParameterCheck extends ValueFormat {
  readonly in: "path" | "query" | "querystring" | "header" | "cookie";
  readonly name: string;
  /** Name of the path capture, for path parameters. */
  readonly capture?: string;
  readonly required: boolean;
  /** An empty value counts as absent (`allowEmptyValue`). */
  readonly mayBeEmpty?: true;
  /** Names that an exploded object does not take, since they are other parameters. */
  readonly others?: readonly string[];
  /** Present when the whole query is one form. */
  readonly form?: FormFormat;
  readonly check: SchemaCheck;
}

/** How a body of a media type is parsed and checked. */
export interface ContentCheck {
  readonly as: "json" | "form" | "multipart";
  /** Of forms. */
  readonly form?: FormFormat;
  readonly check: SchemaCheck;
}

export interface BodyCheck {
  readonly required: boolean;
  /** By media type or range; null when the body only has to be present. */
  readonly types: Readonly<Record<string, ContentCheck | null>>;
}

export interface OperationCheck {
  readonly parameters: readonly ParameterCheck[];
  /** The only names that the query may have. */
  readonly only?: { readonly query: readonly string[] };
  readonly body?: BodyCheck;
}

/** Checks of one tier: filter id → route → method, or `ANY` for all other methods. */
export type Validators = Readonly<
  Record<string, Readonly<Record<string, Readonly<Record<string, OperationCheck | undefined>> | undefined>>>
>;
