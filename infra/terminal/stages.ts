/** Says what a command that takes a while is doing: a line for each stage, and how far it has come. */
import { isCommandLine, isTerminal, progressLine, warn } from "./terminal.ts";

export interface Stages {
  /** A line with the time since the start. */
  readonly begin: (what: string) => unknown;
  /** How far the stage has come: replaced in place in a terminal, elsewhere a line at most every two seconds. */
  readonly step: (what: string) => void;
  /** A line from elsewhere, in between. */
  readonly say: (line: string) => void;
  /** Removes what `step` left in the terminal. */
  readonly end: () => void;
}

/** Nobody is left without a line for longer, and a log stays short. */
const quietMs = 2000;

interface StageOptions {
  /** Only `say` says something: a script reads what is printed. */
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

const mostNamed = 3;

/** The names that fit a line, and how many more there are. */
export const firstOf = (names: readonly string[]): string => {
  const rest = names.length - mostNamed;
  return rest > 1 ? `${names.slice(0, mostNamed).join(", ")} and ${rest} more` : names.join(", ");
};
