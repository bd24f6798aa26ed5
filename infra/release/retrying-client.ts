/** A client of control for commands that follow a rollout or a wave: a restart of control does not end them. */
import { setTimeout } from "node:timers/promises";
import { warn } from "../terminal/terminal.ts";
import { NoAnswer } from "./api.ts";
import { type ControlClient, ControlError } from "./control-client.ts";

/** So long control may not answer; then the command gives up. */
export const giveUpMs = 600_000;
const firstDelayMs = 500;
const maxDelayMs = 15_000;

interface RetryPorts {
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<unknown>;
  readonly report: (line: string) => void;
}

const ports: RetryPorts = {
  now: () => performance.now(),
  sleep: (ms) => setTimeout(ms),
  report: (line) => warn(`${line}\n`),
};

/**
 * Reads are repeated while control does not answer. The first one is not: an address that has never answered is wrong.
 * @param what continues without this command, as `the rollout`
 */
export const retryingReads = (
  { call }: Pick<ControlClient, "call">,
  what: string,
  { now, sleep, report }: RetryPorts = ports,
): (<T>(path: string) => Promise<T>) => {
  let hasAnswered = false;
  return async <T>(path: string): Promise<T> => {
    const since = now();
    for (let delayMs = firstDelayMs; ; delayMs = Math.min(maxDelayMs, delayMs * 2)) {
      try {
        const answer = await call<T>("GET", path);
        hasAnswered = true;
        return answer;
      } catch (error) {
        if (!hasAnswered || !isTemporary(error)) throw error;
        if (now() - since >= giveUpMs)
          throw new Error(
            `control has not answered for ${giveUpMs / 60_000} minutes (${error.message}); ${what} continues without this command`,
          );
        if (delayMs === firstDelayMs) report(`control does not answer (${error.message}); trying again`);
        await sleep(delayMs);
      }
    }
  };
};

/** No answer at all, one of something in between, or one that asks to come back. */
const isTemporary = (error: unknown): error is Error =>
  error instanceof NoAnswer ||
  (error instanceof ControlError && (error.status >= 500 || error.status === 429 || error.isOfEdge));
