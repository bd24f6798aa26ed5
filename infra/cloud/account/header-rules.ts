/**
 * Transform Rules of a zone that modify request headers, as far as Postern writes them: a header is set from another header
 * or from a cookie, or removed. Other expressions are refused.
 * https://developers.cloudflare.com/rules/transform/request-header-modification/
 */

export interface HeaderRule {
  readonly id: string;
  /** The zone's id. */
  readonly zone: string;
  /** The client's own name of the rule. */
  readonly ref: string;
  readonly description: string;
  readonly expression: string;
  readonly enabled: boolean;
  readonly action: "rewrite";
  readonly action_parameters: { readonly headers: Readonly<Record<string, HeaderEdit>> };
}

export type HeaderEdit =
  | { readonly operation: "remove" }
  | { readonly operation: "set"; readonly value: string }
  | { readonly operation: "set"; readonly expression: string };

/** What a rule reads of a request. */
export interface RuleRequest {
  /** Without a port. */
  readonly host: string;
  readonly header: (name: string) => string | null;
}

const field = String.raw`http\.request\.(headers|cookies)\["([^"\\]{1,128})"\]\[0\]`;
const fieldOnly = new RegExp(`^${field}$`);
const condition = new RegExp(String.raw`^\((.*)\)(?: and len\(${field}\) > 0)?$`);
const hostList = /^http\.host in \{((?:"[^"]+" ?)+)\}$/;
const hostSuffix = /^ends_with\(http\.host, "([^"]+)"\)$/;

/** @returns what is not known of the rule; undefined if it can be applied */
export const unknownExpressionIn = (rule: Pick<HeaderRule, "expression" | "action_parameters">): string | undefined => {
  if (!parseCondition(rule.expression)) return rule.expression;
  return Object.values(rule.action_parameters.headers).flatMap((edit) =>
    "expression" in edit && !fieldOnly.test(edit.expression) ? [edit.expression] : [],
  )[0];
};

/** @returns the edits of all rules in order: a value, or null for a header that is removed */
export const headerEdits = (rules: readonly HeaderRule[], request: RuleRequest): ReadonlyMap<string, string | null> => {
  const edits = new Map<string, string | null>();
  for (const { enabled, expression, action_parameters } of rules) {
    const it = parseCondition(expression);
    if (!enabled || !it?.isHost(request.host) || (it.field && !readField(it.field, request))) continue;
    for (const [name, edit] of Object.entries(action_parameters.headers)) {
      const lower = name.toLowerCase();
      if (edit.operation === "remove") edits.set(lower, null);
      else {
        const value =
          "value" in edit ? edit.value : readField(fieldOnly.exec(edit.expression)?.slice(1) ?? [], request);
        if (value) edits.set(lower, value);
      }
    }
  }
  return edits;
};

/** A kind, `headers` or `cookies`, and a name. */
type Field = readonly string[];

const parseCondition = (
  expression: string,
): { readonly isHost: (host: string) => boolean; readonly field: Field | undefined } | undefined => {
  const [, terms, kind, name] = condition.exec(expression) ?? [];
  if (terms === undefined) return undefined;
  const tests = terms.split(" or ").map((term): ((host: string) => boolean) | undefined => {
    const [, list] = hostList.exec(term) ?? [];
    if (list !== undefined) return (host) => list.includes(`"${host}"`);
    const [, suffix] = hostSuffix.exec(term) ?? [];
    return suffix === undefined ? undefined : (host) => host.endsWith(suffix);
  });
  if (tests.some((test) => test === undefined)) return undefined;
  return {
    isHost: (host) => tests.some((test) => test?.(host)),
    field: kind === undefined || name === undefined ? undefined : [kind, name],
  };
};

/** As in the rules' language, a cookie keeps its case and a header's name has none. */
const readField = ([kind, name = ""]: Field, { header }: RuleRequest): string | undefined => {
  if (kind === "headers") return header(name) ?? undefined;
  const pairs = (header("cookie") ?? "").split(";").map((it) => it.trim());
  return pairs.find((it) => it.startsWith(`${name}=`))?.slice(name.length + 1);
};
