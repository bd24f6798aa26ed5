/** One change, as it is told. */
import type { Path } from "../../../diagnostics/locate.ts";
import type { Source } from "../../../diagnostics/source.ts";
import type { ChangeKind } from "../../core/risks.ts";
import type { Sentence } from "../../core/sentence.ts";

export interface ChangeLocation {
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
  readonly message: Sentence;
  /** Where it stands now; before, where it is gone. */
  readonly location?: ChangeLocation | undefined;
}

/** Where a value or a key stands. */
export const changeLocation = (source: Source, at: Path, key?: string): ChangeLocation => {
  const { file, line } = source.related(at, "", key);
  return { file, line };
};

/** `routes/wallet.yaml:12` */
export const formatLocation = ({ file, line }: ChangeLocation): string =>
  line === undefined ? file : `${file}:${line}`;
