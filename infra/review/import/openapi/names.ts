/** Names of routes and captures, made of those that a foreign document has. */

const longest = 48;

/** `actions/get-workflowRun` → `actions-get-workflow-run`; undefined where nothing is left of it. */
export const kebab = (text: string): string | undefined => {
  const words = text
    .replaceAll(/([a-z0-9])([A-Z])/g, "$1-$2")
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^[-0-9]+|-+$/g, "");
  return words === "" ? undefined : words;
};

/** Gives each a name of its own: cut between words where it is too long, and numbered where it is taken. */
export const distinct = (): ((wanted: string) => string) => {
  const taken = new Set<string>();
  return (wanted) => {
    for (let turn = 1; ; turn++) {
      const end = turn === 1 ? "" : `-${turn}`;
      const name = cut(wanted, longest - end.length) + end;
      if (taken.has(name)) continue;
      taken.add(name);
      return name;
    }
  };
};

const cut = (text: string, most: number): string => {
  if (text.length <= most) return text;
  const whole = text.slice(0, most + 1).replace(/-[^-]*$/, "");
  return whole.length <= most ? whole : text.slice(0, most).replace(/-+$/, "");
};
