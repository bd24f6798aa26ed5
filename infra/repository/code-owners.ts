/** Generates CODEOWNERS from the manifests' `owner`: who reviews which manifest. */
import fs from "node:fs";
import path from "node:path";
import type { CheckedTier } from "../compiler/model/checked.ts";
import { readTextWithin } from "../project/files.ts";
import { fileAndLine } from "../review/effective/entries.ts";

/** Paths where GitHub looks for it, in this order (GitHub Docs, "About code owners"). */
const candidates = [".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"] as const;

const beginMarker =
  "# postern: begin. Written by `npx postern repo` from the manifests' owners; edits between these lines are lost.";
const endMarker = "# postern: end";

/** A user, a team, or an email address. */
const ownerPattern = /^(?:@[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})(?:\/[A-Za-z0-9._-]{1,100})?|[^\s@<>#]+@[A-Za-z0-9.-]+)$/;

export interface CodeOwners {
  /** Relative to the repository. */
  readonly file: string;
  readonly text: string;
  /** Manifests without a valid owner: `routes/wallet.yaml:4  "payments people" is …`. */
  readonly unowned: readonly string[];
}

/**
 * The file with its generated block. The text around it stays. A new block goes to the end, since the last matching line
 * wins.
 * @param top root of the repository
 * @param prefix of the project in it: `gateway/`, or empty
 */
export const codeOwnersFile = (top: string, prefix: string, tiers: readonly CheckedTier[]): CodeOwners => {
  const file = candidates.find((it) => fs.existsSync(path.join(top, it))) ?? candidates[0];
  const before = readTextWithin(top, file) ?? "";
  const lines = tiers.flatMap(({ manifest: { tier, owner } }) => {
    const owners = parseOwners(owner);
    return owners ? [`/${prefix}routes/${tier}.yaml ${owners}`, `/${prefix}routes/${tier}.test.yaml ${owners}`] : [];
  });
  return {
    file,
    text: replaceBlock(before, `${[beginMarker, ...lines.sort(), endMarker].join("\n")}\n`),
    unowned: tiers.flatMap(missingOwner),
  };
};

/** Names that GitHub knows, or undefined. */
const parseOwners = (owner: string | undefined): string | undefined => {
  const names = owner?.trim().split(/\s+/) ?? [];
  return names.length > 0 && names.every((it) => ownerPattern.test(it)) ? names.join(" ") : undefined;
};

const missingOwner = ({ source, manifest: { owner } }: CheckedTier): string[] => {
  if (parseOwners(owner) !== undefined) return [];
  const location = fileAndLine(source, [owner === undefined ? "tier" : "owner"]);
  return owner === undefined
    ? [`${location}  has no owner, so nobody has to review it; add owner: "@<organisation>/<team>"`]
    : [
        `${location}  ${JSON.stringify(owner)} is not a user, team or address of GitHub; write "@<organisation>/<team>"`,
      ];
};

const replaceBlock = (text: string, block: string): string => {
  const from = text.indexOf("# postern: begin");
  const until = text.indexOf(endMarker, from);
  if (from >= 0 && until >= 0)
    return `${text.slice(0, from)}${block}${text.slice(until + endMarker.length).replace(/^\r?\n/, "")}`;
  return text === "" ? block : `${text.trimEnd()}\n\n${block}`;
};
