/** The Durable Object of an environment's audit trail, and of what waits for a second person. */
import { type AuditEntry, type Ledger as LedgerCalls, openLedger, type WriteToken } from "../audit/ledger.ts";
import type { Proposal } from "../model/approval.ts";
import { CalledByName, type ObjectClass } from "./called-by-name.ts";

export const ledgerObject = (): ObjectClass<LedgerCalls> =>
  class extends CalledByName implements LedgerCalls {
    readonly #ledger = openLedger(this.ctx.storage.sql);

    write(line: Omit<AuditEntry, "id" | "outcome">): number {
      return this.#ledger.write(line);
    }

    settle(id: number, outcome: string): void {
      this.#ledger.settle(id, outcome);
    }

    lines(tier: string | null, most: number, before?: number): readonly AuditEntry[] {
      return this.#ledger.lines(tier, most, before);
    }

    propose(proposal: Proposal, now: number): "waits" | "full" {
      return this.#ledger.propose(proposal, now);
    }

    proposals(now: number): readonly Proposal[] {
      return this.#ledger.proposals(now);
    }

    take(id: string, now: number): Proposal | undefined {
      return this.#ledger.take(id, now);
    }

    spend(token: WriteToken, now: number): "spent" | "replayed" | "full" {
      return this.#ledger.spend(token, now);
    }
  };
