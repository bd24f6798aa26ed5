/** Runs a bench as a command. */
import process from "node:process";
import { CommanderError } from "@commander-js/extra-typings";

/** Ends the process with 2 where the arguments are wrong, with 3 where the bench fails, and else as `main` set it. */
export const runAsCommand = async (name: string, main: () => Promise<void>): Promise<never> => {
  try {
    await main();
  } catch (error) {
    if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
    else {
      process.stderr.write(`${name}: ${error instanceof Error ? error.message : error}\n`);
      process.exitCode = 3;
    }
  }
  // Open connections and timers do not delay the end.
  process.exit();
};
