/** Secrets that a change writes into a file: whoever reads the repository has them, whatever the gates do with them. */
import type { Path } from "../../diagnostics/locate.ts";
import { say } from "../core/sentence.ts";
import { type WrittenSecret, writtenSecrets } from "../core/written-secrets.ts";
import { type Change, type Spot, spotOf } from "./grade/change.ts";
import type { Picture } from "./picture/model.ts";

interface Found extends WrittenSecret {
  /** Null for a preset and an environment, which tiers share. */
  readonly tier: string | null;
  readonly spot: Spot;
}

/** One that was written before, wherever that was, is told no more. */
export const secretsWritten = (before: Picture, after: Picture): Change[] => {
  const known = new Set(foundIn(before).map(({ text }) => text));
  return foundIn(after)
    .filter(({ text }) => !known.has(text))
    .map(({ tier, path, what, spot }) => ({
      kind: "secret-written",
      tier,
      routes: tier === null ? [] : routesIn(path),
      says: [
        ...say`${keyOf(path)} is ${"•••"}, which looks like `,
        what,
        " and is written out; take it away, or name it where it is used: ",
        ...say`${"{ secret: NAME }"}`,
      ],
      spot,
    }));
};

/** A secret that an environment names as one hides wherever its value comes to stand, whatever the name is there. */
export const withoutSecrets = (changes: readonly Change[], before: Picture, after: Picture): Change[] => {
  const texts = [...foundIn(before), ...foundIn(after)].map(({ text }) => text);
  if (texts.length === 0) return [...changes];
  const hide = (code: string): string =>
    texts.reduce((shown, text) => beheaded(shown.replaceAll(text, "•••"), text), code);
  return changes.map((it) => ({
    ...it,
    says: it.says.map((piece) => (typeof piece === "string" ? piece : { code: hide(piece.code) })),
  }));
};

/** A long value has been cut, and its beginning is hidden all the same. */
const beheaded = (code: string, text: string): string => {
  const at = code.endsWith("…") ? code.indexOf(text.slice(0, 16)) : -1;
  return at < 0 ? code : `${code.slice(0, at)}•••`;
};

const foundIn = ({ tiers, compiled: { environment } }: Picture): Found[] => {
  const all = [...tiers.values()].map(({ name, checked }) => ({ name, checked }));
  const presets = new Map(
    all.flatMap(({ checked: { preset } }) => (preset ? [[preset.source.file, preset.source]] : [])),
  );
  return [
    ...all.flatMap(({ name, checked: { source } }) =>
      writtenSecrets(source.value).map((it) => ({ ...it, tier: name, spot: spotOf(source, it.path) })),
    ),
    ...[...presets.values()].flatMap((source) =>
      writtenSecrets(source.value).map((it) => ({ ...it, tier: null, spot: spotOf(source, it.path) })),
    ),
    ...writtenSecrets(environment.value).map((it) => ({ ...it, tier: null, spot: { file: environment.file } })),
  ];
};

const routesIn = ([key, name]: Path): string[] => (key === "routes" && typeof name === "string" ? [name] : []);

/** The last name on the way: `authorization`. */
const keyOf = (path: Path): string => path.findLast((it) => typeof it === "string") ?? "";
