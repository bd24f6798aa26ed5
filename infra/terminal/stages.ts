/** Reports the progress of a slow command: a line for each stage, and the steps within it. */
import { isCommandLine, isTerminal, progressLine, warn } from "./terminal.ts";

export interface Stages {
  /** Prints a line with the time since the start. */
  readonly begin: (what: string) => unknown;
  /** Reports progress within a stage: in place in a terminal, elsewhere as a line at most every two seconds. */
  readonly step: (what: string) => void;
  /** Prints any other line between the stages. */
  readonly say: (line: string) => void;
  /** Removes the line of `step` from the terminal. */
  readonly end: () => void;
}

/** Frequent enough to show that the command is alive, and rare enough to keep a log short. */
const quietMs = 2000;

interface StageOptions {
  /** Only `say` prints, because a script reads the output. */
  readonly quiet?: boolean | undefined;
  readonly now?: () => number;
}

/** Stages go to stderr, results to stdout. Outside a command line they print nothing. */
export const openStages = ({ quiet = false, now = () => performance.now() }: StageOptions = {}): Stages => {
  const started = now();
  const inPlace = isTerminal("stderr");
  const isFollowed = isCommandLine() && !quiet;
  let written = started;
  let isShown = false;
  const line = (what: string) => `${((now() - started) / 1000).toFixed(1).padStart(5)} s  ${what}`;
  const end = () => {
    if (isShown) progressLine("");
    isShown = false;
  };
  const say = (text: string) => {
    end();
    warn(text);
    written = now();
  };
  return {
    begin: (what) => isFollowed && say(line(what)),
    step: (what) => {
      if (!isFollowed) return;
      if (inPlace) {
        progressLine(line(what));
        isShown = true;
      } else if (now() - written >= quietMs) say(line(what));
    },
    say,
    end,
  };
};

const maxNamed = 3;

/** The names that fit in a line, and the number of the others. */
export const firstOf = (names: readonly string[]): string => {
  const rest = names.length - maxNamed;
  return rest > 1 ? `${names.slice(0, maxNamed).join(", ")} and ${rest} more` : names.join(", ");
};
