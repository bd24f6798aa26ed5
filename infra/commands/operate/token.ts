/** `postern token`: an operator's token, for who asks control by other means, such as Prometheus. */
import { longestLife } from "../../../functions/control/api/operators.ts";
import { type DeskOptions, deskFor } from "../../release/control-client.ts";
import type { Outcome } from "../../terminal/outcome.ts";

export const token = async (options: DeskOptions): Promise<Outcome> => {
  const desk = deskFor(options);
  const text = await desk.token();
  return { exitCode: 0, text: `${text}\n`, data: { operator: desk.operator, token: text, seconds: longestLife } };
};
