/** Which attempt at its version a rollout is, and what became of those before. */
import type { Attempt } from "../../../functions/control/model/rollout.ts";
import { formatTime } from "../../terminal/arguments.ts";
import { hanging } from "../../terminal/table.ts";

interface Attempted {
  readonly attempt?: Attempt | undefined;
}

/** The part of the error budget of its version, as `15 %`. */
export const budgetText = ({ budget }: Pick<Attempt, "budget">): string => `${Number((budget * 100).toPrecision(2))} %`;

/** None for a first attempt. */
export const attemptLines = ({ attempt }: Attempted): string[] => {
  if (!attempt || attempt.number === 1) return [];
  return [
    `attempt ${attempt.number} of this version, with ${budgetText(attempt)} of the error budget that its attempts share; before:`,
    ...attempt.earlier.map(
      ({ id, by, startedAt, endedAt, status, why }) =>
        `  ${formatTime(endedAt ?? startedAt)} UTC  rollout ${id} by ${by}: ${status.replace("-", " ")}: ${why}`,
    ),
  ];
};

/** The same lines, wrapped below their indent. @param columns of the terminal */
export const attemptText = (it: Attempted, columns: number | undefined): string[] =>
  attemptLines(it).map((line) => hanging(/^ */.exec(line)?.[0] ?? "", line.trimStart(), columns));
