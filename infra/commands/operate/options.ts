/** Options of all commands that call control. */
import type { ControlClientOptions } from "../../release/control-client.ts";

export interface ControlOptions extends ControlClientOptions {
  /** Why it is done; written down beside it. */
  readonly message?: string | undefined;
  readonly json?: true | undefined;
}

/** The options that the next commands need too, with a blank before each. */
export const repeated = ({ target, env, as }: ControlOptions): string =>
  [
    ...(target === "cloudflare" ? [] : [` --target ${typeof target === "string" ? target : target.name}`]),
    ...(env === undefined ? [] : [` --env ${env}`]),
    ...(as === undefined || as === process.env.POSTERN_OPERATOR ? [] : [` --as ${as}`]),
  ].join("");
