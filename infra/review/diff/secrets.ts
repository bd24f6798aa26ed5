/** Finds secrets that a change writes into a file of the repository. */
import type { Path } from "../../diagnostics/locate.ts";
import { sentence } from "../core/sentence.ts";
import { type WrittenSecret, writtenSecrets } from "../core/written-secrets.ts";
import { type Change, type ChangeLocation, changeLocation } from "./grade/change.ts";
import type { EnvironmentModel } from "./picture/model.ts";

interface FoundSecret extends WrittenSecret {
  /** Null for presets and environments. */
  readonly tier: string | null;
  readonly location: ChangeLocation;
}

/** Reports secrets that no file contained before. */
export const newSecrets = (before: EnvironmentModel, after: EnvironmentModel): Change[] => {
  const known = new Set(findInModel(before).map(({ text }) => text));
  return findInModel(after)
    .filter(({ text }) => !known.has(text))
    .map(({ tier, path, what, location }) => ({
      kind: "secret-written",
      tier,
      routes: tier === null ? [] : routeOfPath(path),
      message: [
        ...sentence`${lastKey(path)} is ${"•••"}, which looks like `,
        what,
        " and is written in the file; remove it, and refer to it by name: ",
        ...sentence`${"{ secret: NAME }"}`,
      ],
      location,
    }));
};

/** Masks secret values in all changes, whatever key they appear under. */
export const maskSecretValues = (
  changes: readonly Change[],
  before: EnvironmentModel,
  after: EnvironmentModel,
): Change[] => {
  const texts = [...findInModel(before), ...findInModel(after)].map(({ text }) => text);
  if (texts.length === 0) return [...changes];
  const mask = (code: string): string =>
    texts.reduce((shown, text) => maskTruncated(shown.replaceAll(text, "•••"), text), code);
  return changes.map((it) => ({
    ...it,
    message: it.message.map((piece) => (typeof piece === "string" ? piece : { code: mask(piece.code) })),
  }));
};

/** Masks a secret that was truncated. */
const maskTruncated = (code: string, text: string): string => {
  const at = code.endsWith("…") ? code.indexOf(text.slice(0, 16)) : -1;
  return at < 0 ? code : `${code.slice(0, at)}•••`;
};

const findInModel = ({ tiers, compiled: { environment } }: EnvironmentModel): FoundSecret[] => {
  const all = [...tiers.values()].map(({ name, checked }) => ({ name, checked }));
  const presets = new Map(
    all.flatMap(({ checked: { preset } }) => (preset ? [[preset.source.file, preset.source]] : [])),
  );
  return [
    ...all.flatMap(({ name, checked: { source } }) =>
      writtenSecrets(source.value).map((it) => ({ ...it, tier: name, location: changeLocation(source, it.path) })),
    ),
    ...[...presets.values()].flatMap((source) =>
      writtenSecrets(source.value).map((it) => ({ ...it, tier: null, location: changeLocation(source, it.path) })),
    ),
    ...writtenSecrets(environment.value).map((it) => ({ ...it, tier: null, location: { file: environment.file } })),
  ];
};

const routeOfPath = ([key, name]: Path): string[] => (key === "routes" && typeof name === "string" ? [name] : []);

/** The last key of a path: `authorization`. */
const lastKey = (path: Path): string => path.findLast((it) => typeof it === "string") ?? "";
