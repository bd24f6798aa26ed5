/**
 * Prints all output of the command line: to a terminal, a pipe or the log of a CI run. External texts (commit messages,
 * names, summaries, responses of servers) are printed here too, with their control sequences and CI commands removed.
 */

import { AsyncLocalStorage } from "node:async_hooks";

/** An output stream. */
export interface Sink {
  readonly write: (text: string) => unknown;
  readonly isTTY?: boolean;
  /** The width of a terminal in characters. */
  readonly columns?: number;
}

export interface Io {
  readonly stdout: Sink;
  readonly stderr: Sink;
}

/** A running command line: its output streams and its exit code. */
interface Session extends Io {
  exitCode: number;
}

const sessions = new AsyncLocalStorage<Session>();

/** Runs a function whose output goes to these streams, independent of other work in this process. */
export const onTerminal = <T>({ stdout, stderr }: Io, work: (session: Session) => T): T => {
  const session = { stdout, stderr, exitCode: 0 };
  return sessions.run(session, () => work(session));
};

const streams = (): Io => sessions.getStore() ?? process;

/** Whether a command line runs. Tests and benchmarks call the same functions outside of one, and need no progress. */
export const isCommandLine = (): boolean => sessions.getStore() !== undefined;

/** Whether the stream is a terminal, where lines can be replaced. */
export const isTerminal = (stream: keyof Io): boolean => streams()[stream].isTTY === true;

/** Sets the exit code of the command. */
export const endWith = (exitCode: number): void => {
  const session = sessions.getStore();
  if (session) session.exitCode = exitCode;
  else process.exitCode = exitCode;
};

/** The colours and weights that this program writes (SGR parameters). Others are removed, because black or white text is invisible on some screens. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is what is looked for
const ownColour = /^\u001b\[(?:0|1|2|22|31|32|33|36|39)m$/;

/** C0 and C1 controls except line feed and tab, DEL, and characters that change the writing direction or end a line. */
const controlCharacters =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  /\u001b\[\d{1,2}m|[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

const escapeCharacter = (character: string): string => {
  const code = character.charCodeAt(0).toString(16);
  return code.length > 2 ? `\\u${code.padStart(4, "0")}` : `\\x${code.padStart(2, "0")}`;
};

/**
 * Commands of CI runners: GitHub's `::name …::` at the beginning of a line, and `##[name]` anywhere in it, as
 * `##vso[name]` and `##teamcity[name]` of others.
 * Source: GitHub Docs, "Workflow commands for GitHub Actions", and `ActionCommand` of actions/runner; Azure Pipelines, "Logging
 * commands"; TeamCity, "Service Messages".
 */
const escapeCiCommands = (text: string): string =>
  text.replace(/^([^\S\n]*):(?=:[a-z-]+(?:\s[^\n]*)?::)/gim, "$1\\x3a").replace(hashCommand, "#\\x23");

const hashCommand = /##(?=[a-z]*\[)/gi;

/** Removes control characters from a text of several lines. */
export const escapeControls = (text: string): string =>
  escapeCiCommands(
    text.replace(controlCharacters, (it) => (ownColour.test(it) ? it : `${escapeCharacter(it)}${it.slice(1)}`)),
  );

/** Removes colours and line breaks from external text that is part of a line. */
export const toOneLine = (text: string): string =>
  text.replace(new RegExp(`${controlCharacters.source}|[\\t\\n]`, "g"), (it) => `${escapeCharacter(it)}${it.slice(1)}`);

/** Puts each string of an external value on one line, for people to read. */
export const toOneLineValues = <T>(value: T): T => {
  if (typeof value === "string") return toOneLine(value) as T;
  if (Array.isArray(value)) return value.map(toOneLineValues) as T;
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, it]) => [toOneLine(key), toOneLineValues(it)])) as T;
};

/** Escapes control characters in JSON, which keeps its value. */
const escapeJsonControls = (text: string): string =>
  text
    .replace(
      /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g,
      (it) => `\\u${it.charCodeAt(0).toString(16).padStart(4, "0")}`,
    )
    .replace(hashCommand, "#\\u0023");

const withNewline = (text: string): string => (text === "" || text.endsWith("\n") ? text : `${text}\n`);

/** To standard output. */
export const print = (text: string): void => void streams().stdout.write(escapeControls(withNewline(text)));

/** To standard error: progress, warnings and failures. */
export const warn = (text: string): void => void streams().stderr.write(escapeControls(withNewline(text)));

/** @param indent of nested values; without it, on one line */
export const printJson = (value: unknown, indent?: number): void =>
  void streams().stdout.write(`${escapeJsonControls(JSON.stringify(value, null, indent))}\n`);

/** Prints a line of another program's output. JSON keeps its value, and anything else becomes one line of text. */
export const printLine = (line: string): void =>
  isJson(line)
    ? void streams().stdout.write(`${escapeJsonControls(line.replaceAll(/[\t\r\n]/g, " "))}\n`)
    : print(toOneLine(line));

const isJson = (line: string): boolean => {
  try {
    JSON.parse(line);
    return true;
  } catch {
    return false;
  }
};

export const warnJson = (value: unknown): void =>
  void streams().stderr.write(`${escapeJsonControls(JSON.stringify(value))}\n`);

/** Prints a document unchanged, because it goes to a file or a program. */
export const printDocument = (text: string): void => void streams().stdout.write(text);

/** Prints commands for the CI runner. Their content is escaped already. */
export const printCommands = (text: string): void => void streams().stdout.write(text);

/** Clears the terminal and prints a text. */
export const redraw = (text: string): void => void streams().stdout.write(`\u001b[2J\u001b[H${escapeControls(text)}`);

/** Prints a line that the next call replaces; an empty one removes it. The line is cut at the terminal's width, because a wrapped line cannot be replaced. */
export const progressLine = (text: string): void => {
  const line = escapeControls(toOneLine(text)).slice(0, widthOf("stderr") - 1);
  streams().stderr.write(text === "" ? "\r\u001b[K" : `\r${line}\u001b[K`);
};

/** The width of pipes and of terminals that do not report theirs. */
const usualColumns = 80;

/** The width of a stream in characters. */
export const widthOf = (stream: keyof Io): number => {
  const { isTTY, columns } = streams()[stream];
  return isTTY && columns !== undefined && columns > 0 ? columns : usualColumns;
};
