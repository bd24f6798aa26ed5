/** Collects import findings: what has no equivalent or behaves differently, each with its location. Nothing is dropped silently. */
import type { Path } from "../../../../diagnostics/locate.ts";
import type { Gap } from "../../imported.ts";
import type { Resource } from "./documents.ts";

export interface ImportFinding {
  readonly kind: Gap["kind"];
  readonly file: string;
  readonly line: number;
  /** `HTTPRoute shop/checkout` */
  readonly of: string;
  readonly message: string;
}

/** Reports a finding, once for all hosts of a route. */
export type ReportFinding = (kind: ImportFinding["kind"], resource: Resource, path: Path, message: string) => void;

export const createFindings = (): { readonly list: () => ImportFinding[]; readonly report: ReportFinding } => {
  const all = new Map<string, ImportFinding>();
  const report: ReportFinding = (kind, { file, kind: what, namespace, name, line }, path, message) => {
    const finding = { kind, file, line: line(path), of: `${what} ${namespace}/${name}`, message };
    all.set(JSON.stringify(finding), finding);
  };
  const list = () =>
    [...all.values()].toSorted((a, b) => (a.file === b.file ? a.line - b.line : a.file < b.file ? -1 : 1));
  return { list, report };
};
