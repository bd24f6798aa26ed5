/** Writes down what people do, before it is done and after, and what waits for a second person. */
import type { Ledger, Line, Proposal } from "./ledger.ts";
import { cut, type Notice, type Tell } from "./notices/notice.ts";

export interface Recorder {
  readonly ledger: {
    readonly [K in keyof Ledger]: (...given: Parameters<Ledger[K]>) => Promise<Awaited<ReturnType<Ledger[K]>>>;
  };
  readonly tell: Tell;
  readonly now: () => number;
  readonly uuid: () => string;
  readonly log: (line: object) => void;
}

/** A proposal waits for a second person so long. */
const proposalMs = 60 * 60_000;

/** In place of a tier's name, of what concerns several. */
export const everyTier = "*";

export const audited = async <T extends { readonly status: string; readonly why: string }>(
  { ledger, now }: Pick<Recorder, "ledger" | "now">,
  line: Omit<Line, "id" | "outcome" | "at">,
  act: () => Promise<T>,
): Promise<T> => {
  const id = await ledger.write({ ...line, at: now() });
  try {
    const it = await act();
    await ledger.settle(id, `${it.status}: ${it.why}`);
    return it;
  } catch (error) {
    await ledger.settle(id, `refused: ${error instanceof Error ? error.message : String(error)}`);
    throw error;
  }
};

/** @returns that it waits */
export const proposed = async (
  { ledger, tell, now, uuid, log }: Recorder,
  what: Pick<Proposal, "by" | "key" | "tier" | "what" | "body">,
): Promise<Response> => {
  const at = now();
  const proposal: Proposal = { id: uuid().slice(0, 8), until: at + proposalMs, ...what };
  await ledger.propose(proposal, at);
  // Who proposed it knows it without.
  await tell(wanted(proposal, at)).catch(({ message }) =>
    log({ type: "untold", proposal: proposal.id, cause: message }),
  );
  return Response.json({ proposal }, { status: 202 });
};

const wanted = ({ id, tier, what, by, until, body }: Proposal, at: number): Notice => {
  const { reason } = JSON.parse(body) as { readonly reason?: unknown };
  return {
    id: `msg_${id}`,
    type: "approval.wanted",
    at,
    subject: id,
    data: {
      tier,
      proposal: id,
      what,
      reason: typeof reason === "string" ? cut(reason, 500) : "",
      actor: by,
      until: new Date(until).toISOString(),
    },
  };
};
