/** Converts names of a document to unique names of routes and captures. */

const maxLength = 48;

/** `actions/get-workflowRun` → `actions-get-workflow-run`; undefined if nothing remains. */
export const toKebabCase = (text: string): string | undefined => {
  const words = text
    .replaceAll(/([a-z0-9])([A-Z])/g, "$1-$2")
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^[-0-9]+|-+$/g, "");
  return words === "" ? undefined : words;
};

/** Makes names unique: a long one is cut between words, and a duplicate gets a number. */
export const createUniqueNames = (): ((baseName: string) => string) => {
  const usedNames = new Set<string>();
  return (baseName) => {
    for (let counter = 1; ; counter++) {
      const end = counter === 1 ? "" : `-${counter}`;
      const name = truncate(baseName, maxLength - end.length) + end;
      if (usedNames.has(name)) continue;
      usedNames.add(name);
      return name;
    }
  };
};

const truncate = (text: string, most: number): string => {
  if (text.length <= most) return text;
  const whole = text.slice(0, most + 1).replace(/-[^-]*$/, "");
  return whole.length <= most ? whole : text.slice(0, most).replace(/-+$/, "");
};
