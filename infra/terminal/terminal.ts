/**
 * The one place where text leaves for a terminal, a pipe or the log of a CI run. Texts from outside (commit messages, names,
 * summaries, answers of servers) come through here too, so nothing in them steers a terminal or a CI runner.
 */

import { AsyncLocalStorage } from "node:async_hooks";

/** A stream that text goes to. */
export interface Sink {
  readonly write: (text: string) => unknown;
  readonly isTTY?: boolean;
  /** Of a terminal: characters in a line. */
  readonly columns?: number;
}

export interface Io {
  readonly stdout: Sink;
  readonly stderr: Sink;
}

/** One command line that runs: where its text goes, and what it exits with. */
interface Session extends Io {
  exitCode: number;
}

const sessions = new AsyncLocalStorage<Session>();

/** Runs work whose output goes to these streams, whatever else this process does at the same time. */
export const onTerminal = <T>({ stdout, stderr }: Io, work: (session: Session) => T): T => {
  const session = { stdout, stderr, exitCode: 0 };
  return sessions.run(session, () => work(session));
};

const streams = (): Io => sessions.getStore() ?? process;

/** Whether this is a command line. Otherwise a test or a benchmark calls what a command calls, and nobody follows it. */
export const isCommandLine = (): boolean => sessions.getStore() !== undefined;

/** Whether a person looks at this stream, so that lines may be replaced. */
export const isTerminal = (stream: keyof Io): boolean => streams()[stream].isTTY === true;

/** What the command exits with, once it has ended. */
export const endWith = (exitCode: number): void => {
  const session = sessions.getStore();
  if (session) session.exitCode = exitCode;
  else process.exitCode = exitCode;
};

/** Colours and weights that this program writes itself (SGR parameters). No other: black and white hide text on one screen or another. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is what is looked for
const ownColour = /^\u001b\[(?:0|1|2|22|31|32|33|36|39)m$/;

/** C0 and C1 controls but line feed and tab, DEL, and characters that turn the direction of writing or end a line. */
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

/** Text of several lines, as a terminal may show it. */
export const escapeControls = (text: string): string =>
  escapeCiCommands(
    text.replace(controlCharacters, (it) => (ownColour.test(it) ? it : `${escapeCharacter(it)}${it.slice(1)}`)),
  );

/** Text from outside that is part of a line: it brings no colour and no line of its own. */
export const toOneLine = (text: string): string =>
  text.replace(new RegExp(`${controlCharacters.source}|[\\t\\n]`, "g"), (it) => `${escapeCharacter(it)}${it.slice(1)}`);

/** A value from outside with each of its texts on one line, for people to read. */
export const toOneLineValues = <T>(value: T): T => {
  if (typeof value === "string") return toOneLine(value) as T;
  if (Array.isArray(value)) return value.map(toOneLineValues) as T;
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, it]) => [toOneLine(key), toOneLineValues(it)])) as T;
};

/** JSON holds such characters escaped, so that it is still the same value. */
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

/** To standard error: progress, warnings, what failed. */
export const warn = (text: string): void => void streams().stderr.write(escapeControls(withNewline(text)));

/** @param indent of nested values; without it, on one line */
export const printJson = (value: unknown, indent?: number): void =>
  void streams().stdout.write(`${escapeJsonControls(JSON.stringify(value, null, indent))}\n`);

/** A line of a program of somebody else's: JSON stays the same value, anything else is one line of text. */
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

/** A document, byte by byte: it is written to a file or read by a program. */
export const printDocument = (text: string): void => void streams().stdout.write(text);

/** Commands for the CI runner, which escaped what they hold. */
export const printCommands = (text: string): void => void streams().stdout.write(text);

/** Clears a terminal and shows this in its place. */
export const redraw = (text: string): void => void streams().stdout.write(`\u001b[2J\u001b[H${escapeControls(text)}`);

/** One line of a terminal that the next call replaces; an empty one removes it. It is cut at the terminal's width, since one that wraps stays. */
export const progressLine = (text: string): void => {
  const line = escapeControls(toOneLine(text)).slice(0, widthOf("stderr") - 1);
  streams().stderr.write(text === "" ? "\r\u001b[K" : `\r${line}\u001b[K`);
};

/** What a line holds where nobody says: of a pipe, and of old terminals. */
const usualColumns = 80;

/** Characters in a line of this stream. */
export const widthOf = (stream: keyof Io): number => {
  const { isTTY, columns } = streams()[stream];
  return isTTY && columns !== undefined && columns > 0 ? columns : usualColumns;
};
