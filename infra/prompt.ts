/** Reads a value that nobody should see: from a pipe, or from a terminal that does not show it. */

const largest = 64 * 1024;

/** @throws where it is larger than any secret */
export const hidden = async (question: string): Promise<string> => {
  const { stdin } = process;
  if (!stdin.isTTY) return piped();
  // First of all, so that not even a hasty key is shown.
  stdin.setRawMode(true);
  process.stderr.write(`${question} (not shown, ends with Enter): `);
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

const piped = async (): Promise<string> => {
  let value = "";
  for await (const chunk of process.stdin) {
    value += chunk;
    if (value.length > largest) throw new Error(`a secret has ${largest} characters at most`);
  }
  return value;
};
