/** CODEOWNERS: who is asked about which manifest, from the manifests' own `owner`. */
import fs from "node:fs";
import path from "node:path";
import type { CheckedTier } from "../compiler/model/checked.ts";
import { textWithin } from "../project/files.ts";
import { placeOf } from "../review/effective/entries.ts";

/** Where GitHub looks for it, in this order (GitHub Docs, "About code owners"). */
const places = [".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"] as const;

const begin =
  "# postern: begin. Written by `npx postern repo` from the manifests' owners; edits between these lines are lost.";
const end = "# postern: end";

/** A user, a team, or an address of mail. */
const known = /^(?:@[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})(?:\/[A-Za-z0-9._-]{1,100})?|[^\s@<>#]+@[A-Za-z0-9.-]+)$/;

export interface Owners {
  /** Relative to the repository. */
  readonly file: string;
  readonly text: string;
  /** Manifests that nobody is asked about: `routes/wallet.yaml:4  "payments people" is …`. */
  readonly unowned: readonly string[];
}

/**
 * The file with its block written anew; what people wrote around it stays. A new block goes to the end, since the last line
 * that fits a file decides.
 * @param top of the repository
 * @param prefix of the project in it: `gateway/`, or empty
 */
export const ownersFile = (top: string, prefix: string, tiers: readonly CheckedTier[]): Owners => {
  const file = places.find((it) => fs.existsSync(path.join(top, it))) ?? places[0];
  const before = textWithin(top, file) ?? "";
  const lines = tiers.flatMap(({ manifest: { tier, owner } }) => {
    const owners = ownersIn(owner);
    return owners ? [`/${prefix}routes/${tier}.yaml ${owners}`, `/${prefix}routes/${tier}.test.yaml ${owners}`] : [];
  });
  return {
    file,
    text: replaced(before, `${[begin, ...lines.sort(), end].join("\n")}\n`),
    unowned: tiers.flatMap(complaint),
  };
};

/** Names that GitHub knows, or undefined. */
const ownersIn = (owner: string | undefined): string | undefined => {
  const names = owner?.trim().split(/\s+/) ?? [];
  return names.length > 0 && names.every((it) => known.test(it)) ? names.join(" ") : undefined;
};

const complaint = ({ source, manifest: { owner } }: CheckedTier): string[] => {
  if (ownersIn(owner) !== undefined) return [];
  const at = placeOf(source, [owner === undefined ? "tier" : "owner"]);
  return owner === undefined
    ? [`${at}  has no owner, so nobody is asked about it; add owner: "@<organisation>/<team>"`]
    : [`${at}  ${JSON.stringify(owner)} is no user, team or address that GitHub knows; write "@<organisation>/<team>"`];
};

const replaced = (text: string, block: string): string => {
  const from = text.indexOf("# postern: begin");
  const until = text.indexOf(end, from);
  if (from >= 0 && until >= 0)
    return `${text.slice(0, from)}${block}${text.slice(until + end.length).replace(/^\r?\n/, "")}`;
  return text === "" ? block : `${text.trimEnd()}\n\n${block}`;
};
