/** What a build makes of schemas, and the filter `validate` runs: functions with no schema and no eval behind them. */

/** As Ajv writes one. */
export interface SchemaCheck {
  (value: unknown): boolean;
  errors?: readonly SchemaError[] | null;
}

export interface SchemaError {
  readonly instancePath: string;
  readonly message?: string;
}

/** A kind of value that a text may stand for. */
export type ScalarKind = "string" | "number" | "integer" | "boolean" | "null";

/** What the values of a schema may be, so that texts can be read as such values. */
export interface ValueShape {
  /** Scalars that a text may stand for; absent where the value is only a list or an object. */
  readonly kinds?: readonly ScalarKind[];
  /** Present where the value may be a list. */
  readonly items?: ValueShape;
  /** Present where the value may be an object; texts of other properties are read by `rest`. */
  readonly properties?: Readonly<Record<string, ValueShape>>;
  /** Present where the schema describes properties that it does not name. An exploded object takes fields of any name then. */
  readonly rest?: ValueShape;
  /** The value is a file, whose content is not looked at. */
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

/** How a value is written as text. */
export interface ValueFormat {
  readonly style: ParameterStyle;
  readonly explode: boolean;
  readonly shape: ValueShape;
}

/** A property of a form. */
export interface FieldFormat extends ValueFormat {
  /** Media types and ranges that a part of it may have, in lower case: `image/png`, `image/*`. */
  readonly types?: readonly string[];
}

/** How an object is written as a form. */
export interface FormFormat {
  readonly fields: Readonly<Record<string, FieldFormat>>;
  /** Of fields that are not named; by default they are texts. */
  readonly rest?: FieldFormat;
}

export interface ParameterCheck extends ValueFormat {
  readonly in: "path" | "query" | "querystring" | "header" | "cookie";
  readonly name: string;
  /** Of the match, where it stands in the path. */
  readonly capture?: string;
  readonly required: boolean;
  /** An empty value stands for none (`allowEmptyValue`). */
  readonly mayBeEmpty?: true;
  /** Names that an object whose properties are fields of their own does not take: they are other parameters. */
  readonly others?: readonly string[];
  /** Present where the whole query is one form. */
  readonly form?: FormFormat;
  readonly check: SchemaCheck;
}

/** How bodies of a media type are read, and what checks the value. */
export interface ContentCheck {
  readonly as: "json" | "form" | "multipart";
  /** Of forms. */
  readonly form?: FormFormat;
  readonly check: SchemaCheck;
}

export interface BodyCheck {
  readonly required: boolean;
  /** By media type or range; null where presence is all that is asked. */
  readonly types: Readonly<Record<string, ContentCheck | null>>;
}

export interface OperationCheck {
  readonly parameters: readonly ParameterCheck[];
  /** Names beside which the query may have none. */
  readonly only?: { readonly query: readonly string[] };
  readonly body?: BodyCheck;
}

/** Of one tier: filter id → route → method, or `ANY` for those that are not named. */
export type Validators = Readonly<
  Record<string, Readonly<Record<string, Readonly<Record<string, OperationCheck | undefined>> | undefined>>>
>;
