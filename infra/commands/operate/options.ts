/** Options of all commands that call control. */
import type { DeskOptions } from "../../release/control-client.ts";

export interface ControlOptions extends DeskOptions {
  /** Why it is done; written down beside it. */
  readonly message?: string | undefined;
  readonly json?: true | undefined;
}
