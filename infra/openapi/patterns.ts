/** Patterns of schemas run on what clients send, so none is taken that a text can make run for long. */
import { checkSync } from "recheck";
import { DocumentError } from "./document.ts";

/** Enough for all that people write; what takes longer to judge is refused. */
const patience = { timeout: 2000 };

const judged = new Map<string, string>();

/**
 * The pattern as JSON Schema runs it, with the flag `u`.
 * @throws DocumentError for one that is none, or that could run for long
 */
export const safePattern = (pattern: string): string => {
  const known = judged.get(pattern);
  if (known !== undefined) return known;
  const read = [pattern, pattern.replaceAll(/\\([^\w^$\\.*+?()[\]{}|/-])/g, "$1")].find(isPattern);
  if (read === undefined)
    throw new DocumentError(`"${pattern}" is no regular expression`, "write it as ECMAScript reads it with the flag u");
  const { status } = checkSync(read, "u", patience);
  if (status !== "safe")
    throw new DocumentError(
      `the pattern "${pattern}" ${status === "vulnerable" ? "takes very long for some texts" : "could not be shown to be quick"}`,
      "let no part repeat what its neighbour can match too, or bound the repetitions: {1,20}",
    );
  judged.set(pattern, read);
  return read;
};

const isPattern = (text: string): boolean => {
  try {
    new RegExp(text, "u");
    return true;
  } catch {
    return false;
  }
};
