/** The case Worker: receives a tier and its cases as JSON, and returns the results. State is a Durable Object, as in production. */
import { DurableObject } from "cloudflare:workers";
import type { Present } from "../../../functions/gateway/hooks/credentials.ts";
import type { Parts } from "../../../functions/gateway/part.ts";
import { handleRequest } from "../../../functions/state/contract.ts";
import { countersOn } from "../../../functions/state/counters.ts";
import type { Batch, CaseResults, PartLaws } from "../input/batch.ts";
import { runCase } from "./run-case.ts";

interface Env {
  readonly COUNTERS: DurableObjectNamespace<Counters>;
  /** workerd's eval binding, only available locally. */
  readonly EVAL: { readonly newFunction: (body: string, name: string) => () => NonNullable<Parts["validators"]> };
}

const timeHeader = "x-time";

/** The state of the running case, with the case's clock. */
export class Counters extends DurableObject {
  #counters = countersOn(this.ctx.storage.sql);

  override async fetch(request: Request): Promise<Response> {
    return handleRequest(request, this.#counters, () => Number(request.headers.get(timeHeader)));
  }

  /** Resets the state. A new object for each case would be slower. */
  forget(): void {
    this.ctx.storage.sql.exec("DELETE FROM cells");
    this.#counters = countersOn(this.ctx.storage.sql);
  }
}

/**
 * @param present what writes credentials into requests, by filter
 * @param tryLaws runs the laws of the project's own parts
 */
export const worker = (
  parts: Parts,
  present: Readonly<Record<string, Present>>,
  tryLaws: () => Promise<readonly PartLaws[]> = async () => [],
) => ({
  fetch: async (request: Request, { COUNTERS, EVAL }: Env): Promise<Response> => {
    if (new URL(request.url).pathname === "/laws") return Response.json(await tryLaws());
    const batch = await request.json<Batch>();
    const state = COUNTERS.getByName("state");
    const callState = (stateRequest: Request, now: number) => {
      stateRequest.headers.set(timeHeader, String(now));
      return state.fetch(stateRequest);
    };
    const checks = batch.checks === null ? {} : { validators: EVAL.newFunction(batch.checks, "checks")() };
    const results: (CaseResults | { readonly failed: string })[] = [];
    for (const it of batch.conversations) {
      await state.forget();
      results.push(
        await runCase(batch, it, { ...parts, ...checks }, present, callState).catch((error: unknown) => ({
          failed: String(error),
        })),
      );
    }
    return Response.json(results);
  },
});
