/** Prompts for a secret value, and for a confirmation. */
import readline from "node:readline/promises";
import { escapeControls, toOneLine } from "./terminal.ts";

const maxLength = 64 * 1024;

/** @throws where it is larger than any secret */
export const promptSecret = async (question: string): Promise<string> => {
  const { stdin } = process;
  if (!stdin.isTTY) return readPiped();
  // First, so that not even a hasty key is shown.
  stdin.setRawMode(true);
  process.stderr.write(`${sanitizeQuestion(question)} (not shown, ends with Enter): `);
  let value = "";
  try {
    for await (const chunk of stdin)
      for (const character of String(chunk)) {
        if (character === "\u0003") throw new Error("stopped; nothing has been set");
        if (character === "\r" || character === "\n" || character === "\u0004") return value;
        value = character === "\u007f" ? value.slice(0, -1) : value + character;
      }
    return value;
  } finally {
    stdin.setRawMode(false);
    process.stderr.write("\n");
  }
};

/** Prompts in a terminal. Elsewhere the command line is the answer. */
export const confirm = async (question: string): Promise<boolean> => {
  if (!process.stdin.isTTY) return true;
  const prompt = readline.createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(?:es)?$/i.test((await prompt.question(`${sanitizeQuestion(question)} [y/N] `)).trim());
  } finally {
    prompt.close();
  }
};

/** A question contains names from outside. */
const sanitizeQuestion = (question: string): string => escapeControls(toOneLine(question));

const readPiped = async (): Promise<string> => {
  let value = "";
  for await (const chunk of process.stdin) {
    value += chunk;
    if (value.length > maxLength) throw new Error(`a secret has ${maxLength} characters at most`);
  }
  return value;
};
