/** What a build makes of schemas, and the filter `validate` runs: functions with no schema and no eval behind them. */

/** As Ajv writes one. */
export interface Check {
  (value: unknown): boolean;
  errors?: readonly Flaw[] | null;
}

export interface Flaw {
  readonly instancePath: string;
  readonly message?: string;
}

/** A kind of value that a text may stand for. */
export type Kind = "string" | "number" | "integer" | "boolean" | "null";

export interface ParameterCheck {
  readonly in: "path" | "query" | "header" | "cookie";
  readonly name: string;
  /** Of the match, where it stands in the path. */
  readonly capture?: string;
  readonly required: boolean;
  /** What its text becomes: one value, a list, a map of properties, or JSON. */
  readonly as: "value" | "list" | "map" | "json";
  /** Of a value, or of a list's items. */
  readonly kinds: readonly Kind[];
  /** Between the items of a list; without it the parameter is repeated. */
  readonly between?: string;
  /** Of a map in the query: `filter[state]`, or each property by its own name. */
  readonly deep?: boolean;
  readonly properties?: Readonly<Record<string, readonly Kind[]>>;
  readonly check: Check;
}

export interface BodyCheck {
  readonly required: boolean;
  /** By media type or range; null where presence is all that is asked. */
  readonly types: Readonly<Record<string, Check | null>>;
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
