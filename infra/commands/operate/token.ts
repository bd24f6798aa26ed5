/** `postern token`: an operator's token, for who asks control by other means, such as Prometheus. */
import { longestLife } from "../../../functions/control/api/operators.ts";
import { compile } from "../../compiler/compile.ts";
import { deskOf } from "../../release/control-client.ts";
import { environmentFor, targetOf } from "../../release/target.ts";
import type { Outcome } from "../../terminal/outcome.ts";

interface Options {
  readonly root: string;
  readonly env?: string | undefined;
  readonly target: string;
  readonly as?: string | undefined;
}

export const token = async ({ root, env, target, as }: Options): Promise<Outcome> => {
  const at = targetOf(target);
  const desk = deskOf(root, compile(root, environmentFor(at, env)).environment, at, as);
  const text = await desk.token();
  return { exitCode: 0, text: `${text}\n`, data: { operator: desk.operator, token: text, seconds: longestLife } };
};
