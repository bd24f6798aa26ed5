/** Says what a command that takes a while is doing: a line for each stage, and how far it has come. */
import { isTerminal, progressLine, warn } from "./terminal.ts";

export interface Stages {
  /** A line with the time since the start. */
  readonly begin: (what: string) => void;
  /** How far the stage has come: replaced in place in a terminal, elsewhere a line at most every two seconds. */
  readonly step: (what: string) => void;
  /** A line from elsewhere, in between. */
  readonly say: (line: string) => void;
  /** Removes what `step` left in the terminal. */
  readonly end: () => void;
}

/** Nobody is left without a line for longer, and a log stays short. */
const quietMs = 2000;

/** They go to stderr: what a command was asked for goes to stdout. */
export const openStages = (now: () => number = () => performance.now()): Stages => {
  const started = now();
  const inPlace = isTerminal("stderr");
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
    begin: (what) => say(line(what)),
    step: (what) => {
      if (inPlace) {
        progressLine(line(what));
        isShown = true;
      } else if (now() - written >= quietMs) say(line(what));
    },
    say,
    end,
  };
};
