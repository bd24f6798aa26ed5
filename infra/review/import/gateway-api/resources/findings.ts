/** What an import could not carry over, or carries over otherwise: each with its place. Nothing is dropped without a word. */
import type { Path } from "../../../../diagnostics/locate.ts";
import type { Gap } from "../../imported.ts";
import type { Resource } from "./documents.ts";

export interface Finding {
  readonly kind: Gap["kind"];
  readonly file: string;
  readonly line: number;
  /** `HTTPRoute shop/checkout` */
  readonly of: string;
  readonly says: string;
}

/** Where findings are gathered; each is told once, however many hosts a route is served on. */
export type Find = (kind: Finding["kind"], resource: Resource, path: Path, says: string) => void;

export const finder = (): { readonly found: () => Finding[]; readonly find: Find } => {
  const all = new Map<string, Finding>();
  const find: Find = (kind, { file, kind: what, namespace, name, line }, path, says) => {
    const finding = { kind, file, line: line(path), of: `${what} ${namespace}/${name}`, says };
    all.set(JSON.stringify(finding), finding);
  };
  const found = () =>
    [...all.values()].toSorted((a, b) => (a.file === b.file ? a.line - b.line : a.file < b.file ? -1 : 1));
  return { found, find };
};
