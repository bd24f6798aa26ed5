/** Uses a parser's error messages as schema problems. */
import type { RefinementCtx } from "zod";

/** @param read throws a SyntaxError whose message is a sentence for the manifest's author */
export const checkWith =
  (read: (text: string) => unknown) =>
  (text: string, context: RefinementCtx<string>): void => {
    try {
      read(text);
    } catch (error) {
      context.addIssue({ code: "custom", params: { format: true }, message: (error as Error).message });
    }
  };
