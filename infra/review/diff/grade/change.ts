/** One change, as it is told. */
import type { Path } from "../../../diagnostics/locate.ts";
import type { Source } from "../../../diagnostics/source.ts";
import type { ChangeKind } from "../../core/risks.ts";
import type { Sentence } from "../../core/sentence.ts";

export interface Spot {
  readonly file: string;
  /** Undefined for the whole file. */
  readonly line?: number;
}

export interface Change {
  readonly kind: ChangeKind;
  /** As it is called now; before, where it is gone. Null for what no tier owns. */
  readonly tier: string | null;
  /** Those that it concerns, by name; none where it is the tier's own. */
  readonly routes: readonly string[];
  readonly says: Sentence;
  /** Where it stands now; before, where it is gone. */
  readonly spot?: Spot | undefined;
}

/** Where a value or a key stands. */
export const spotOf = (source: Source, at: Path, key?: string): Spot => {
  const { file, line } = source.related(at, "", key);
  return { file, line };
};

/** `routes/wallet.yaml:12` */
export const placeOf = ({ file, line }: Spot): string => (line === undefined ? file : `${file}:${line}`);
