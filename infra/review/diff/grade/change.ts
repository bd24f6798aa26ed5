/** One change of a diff. */
import type { Path } from "../../../diagnostics/locate.ts";
import type { Source } from "../../../diagnostics/source.ts";
import type { ChangeKind } from "../../core/risks.ts";
import type { Sentence } from "../../core/sentence.ts";

export interface ChangeLocation {
  readonly file: string;
  /** Undefined for a whole file. */
  readonly line?: number;
}

export interface Change {
  readonly kind: ChangeKind;
  /** The tier's current name, or the former one if it is removed. Null for shared files. */
  readonly tier: string | null;
  /** Names of the routes concerned; empty for a change of the tier itself. */
  readonly routes: readonly string[];
  readonly message: Sentence;
  /** Its current location, or the former one if it is removed. */
  readonly location?: ChangeLocation | undefined;
}

/** The location of a value or key. */
export const changeLocation = (source: Source, at: Path, key?: string): ChangeLocation => {
  const { file, line } = source.related(at, "", key);
  return { file, line };
};

/** `routes/wallet.yaml:12` */
export const formatLocation = ({ file, line }: ChangeLocation): string =>
  line === undefined ? file : `${file}:${line}`;
