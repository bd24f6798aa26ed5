/** Options of all commands that call control. */
import type { ControlClientOptions } from "../../release/control-client.ts";

export interface ControlOptions extends ControlClientOptions {
  /** Why it is done; written down beside it. */
  readonly message?: string | undefined;
  readonly json?: true | undefined;
}
