/** The ports of the wave controller, and the requests that it accepts. */
import type { WavePosition } from "../model/approval.ts";
import type { Member, RolloutSummary, Wave } from "../model/wave.ts";
import type { Notify } from "../notifications/notification.ts";
import type { WaveCommand } from "./reducer.ts";

export interface WavePorts {
  readonly storage: Pick<DurableObjectStorage, "get" | "put" | "delete" | "list" | "setAlarm">;
  readonly rollouts: {
    /** @returns a description of the tier's running rollout, regardless of who started it; undefined if there is none */
    readonly runningRollout: (tier: string) => Promise<string | undefined>;
    /**
     * The rollout that this wave started; null if it started none.
     * @throws if that is unknown
     */
    readonly find: (it: Wave, member: Member) => Promise<RolloutSummary | null>;
    /**
     * Starts a rollout, or returns the one that this wave has already started.
     * @throws Refusal if it was refused; any other error if no answer came and it may have started
     */
    readonly start: (it: Wave, member: Member) => Promise<RolloutSummary>;
    /** @throws Refusal if the rollout is already rolled back or returning, or was started by someone else */
    readonly abort: (it: Wave, member: Member) => Promise<unknown>;
  };
  /** Delivers each notice at least once. */
  readonly notify: Notify;
  readonly now: () => number;
  readonly uuid: () => string;
}

export interface WaveStartRequest {
  readonly members: readonly Member[];
  readonly concurrent: number;
  readonly selection: string;
  readonly by: string;
  readonly reason: string;
}

export interface WaveCommandRequest {
  readonly command: WaveCommand;
  readonly all: boolean;
  readonly by: string;
  readonly reason: string;
  /** The wave's position when the command was proposed; refused if it has changed. */
  readonly approved?: WavePosition | undefined;
}
