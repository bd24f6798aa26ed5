/** `postern token`: prints an operator's token for other clients of control, such as Prometheus. */
import { maxTokenSeconds } from "../../../functions/control/api/operators.ts";
import { type ControlClientOptions, controlClientFor } from "../../release/control-client.ts";
import type { Outcome } from "../../terminal/outcome.ts";

export const token = async (options: ControlClientOptions): Promise<Outcome> => {
  const client = controlClientFor(options);
  const text = await client.token();
  return { exitCode: 0, text: `${text}\n`, data: { operator: client.operator, token: text, seconds: maxTokenSeconds } };
};
