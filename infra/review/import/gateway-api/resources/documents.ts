/** Parses Kubernetes resources from multi-document YAML or JSON, with the line of each value. */
import { type Document, LineCounter, type Node, parseAllDocuments } from "yaml";
import { locator, type Path } from "../../../../diagnostics/locate.ts";
import { detectEncoding } from "../../../../project/files.ts";

export interface Resource {
  readonly file: string;
  /** The group of its apiVersion: `gateway.networking.k8s.io`, empty for the core; undefined without an apiVersion. */
  readonly group: string | undefined;
  readonly version: string | undefined;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  /** The time of creation, if known: the older object wins. */
  readonly created: string;
  readonly value: Readonly<Record<string, unknown>>;
  /** The line of a value, or of the nearest existing parent. */
  readonly line: (path: Path) => number;
}

/** The input: a file's name, or `-` for stdin. */
export interface InputFile {
  readonly file: string;
  readonly text: string;
}

/** A document that is not valid YAML. */
export interface UnreadDocument {
  readonly file: string;
  readonly line: number;
  readonly message: string;
  /** Whether it names a kind of the Gateway API, so that routes may be missing. */
  readonly isRelevant: boolean;
}

/** Size limit of one file in bytes, enough for the configuration of a whole cluster. */
export const maxCharacters = 16 * 1024 * 1024;

/** A resource as written in a file. */
export const decodeText = (bytes: Buffer): string => new TextDecoder(detectEncoding(bytes)).decode(bytes);

/** @throws if a file is too large */
export const parseResources = ({
  file,
  text: fileText,
}: InputFile): { resources: Resource[]; unread: UnreadDocument[] } => {
  // Concatenated files have a byte order mark at the beginning of each.
  const text = fileText.replaceAll(/^\uFEFF/gm, "");
  if (text.length > maxCharacters)
    throw new Error(`${file} has more than ${maxCharacters} characters; import it in parts`);
  const lineCounter = new LineCounter();
  // Kubernetes reads the merge keys of YAML 1.1, which YAML 1.2 lacks.
  const documents = parseAllDocuments(text, { lineCounter, merge: true, prettyErrors: false, logLevel: "error" });
  const unread: UnreadDocument[] = [];
  const sourceOf = (from: number): string => {
    const next = text.indexOf("\n---", from + 3);
    return text.slice(from, next < 0 ? undefined : next);
  };
  const resources = (Array.isArray(documents) ? documents : []).flatMap((document) => {
    const lineAt = (offset: number) => lineCounter.linePos(offset).line;
    const from = document.range?.[0] ?? 0;
    const addUnread = (offset: number, message: string) => {
      const source = sourceOf(from);
      unread.push({
        file,
        line: lineAt(offset),
        message: describeError(message, source),
        isRelevant: gatewayApiPattern.test(source),
      });
      return [];
    };
    const [error] = document.errors;
    if (error) return addUnread(error.pos[0], error.message);
    const locate = locator(document.contents as Node | null);
    // The deepest existing node.
    const line = (path: Path): number => lineAt(locate(path)?.range?.[0] ?? 0);
    const { value, problem } = toPlainValue(document);
    if (problem !== undefined) return addUnread(from, problem);
    const resource = kustomization.test(file) ? { ...kustomizationDefaults, ...mapOf(value) } : value;
    if (kindName(resource) !== "") return expandList(resource, [], { file, line });
    // A chart's values, or a task that applies it.
    if (value !== null && gatewayApiPattern.test(sourceOf(from).replaceAll(/^\s*#.*$/gm, "")))
      unread.push({ file, line: lineAt(from), message: misplacedMessage, isRelevant: true });
    return [];
  });
  return { resources, unread };
};

const toPlainValue = (document: Document): { value?: unknown; problem?: string } => {
  try {
    return { value: document.toJS({ maxAliasCount: 100 }) };
  } catch (error) {
    // Aliases without an anchor, or excessively many.
    return { problem: (error as Error).message };
  }
};

/** Excludes definitions of the kinds themselves, which name them at a deeper level. */
const gatewayApiPattern =
  /apiVersion["']?\s*:\s*["']?gateway\.networking\.(?:x-)?k8s\.io\/|^["'{\s]{0,3}kind["']?\s*:\s*["']?(?:HTTPRoute|Gateway)\b/m;

/** A template expression of a Helm chart. It is YAML only if it is quoted. */
export const templatePattern = /\{\{.*\}\}/s;

export const templateMessage = "a template; render it (`helm template …`) and import the result";

/** Such a file may omit apiVersion and kind. */
const kustomization = /(?:^|[/\\])kustomization\.ya?ml$/;
const kustomizationDefaults = { apiVersion: "kustomize.config.k8s.io/v1beta1", kind: "Kustomization" };

const misplacedMessage =
  "names a kind of the Gateway API, but is not a resource: apiVersion and kind are not at its top level";

const describeError = (message: string, source: string): string =>
  templatePattern.test(source) ? `is ${templateMessage}` : `is not valid YAML: ${message}`;

/** Expands a `List` or a typed list such as `HTTPRouteList`. */
const expandList = (value: unknown, at: Path, where: { file: string; line: (path: Path) => number }): Resource[] => {
  const { apiVersion, metadata, items } = mapOf(value);
  const kind = kindName(value);
  if (kind === "") return [];
  if (kind.endsWith("List") && Array.isArray(items))
    return items.flatMap((item, index) =>
      // Items of a typed list may omit apiVersion and kind.
      expandList({ apiVersion, kind: kind.slice(0, -4), ...mapOf(item) }, [...at, "items", index], where),
    );
  const { name = "", namespace, creationTimestamp = "" } = mapOf(metadata);
  const [, group = "", version] = /^(?:(.*)\/)?([^/]*)$/.exec(plainText(apiVersion)) ?? [];
  return [
    {
      file: where.file,
      group: typeof apiVersion === "string" ? group : undefined,
      version: typeof apiVersion === "string" ? version : undefined,
      kind,
      namespace: plainText(namespace) || "default",
      name: plainText(name),
      created: plainText(creationTimestamp),
      value: mapOf(value),
      line: (path) => where.line([...at, ...path]),
    },
  ];
};

const kindName = (value: unknown): string => {
  const { kind } = mapOf(value);
  return typeof kind === "string" ? kind : "";
};

/** An object here is a template without quotes: `name: {{ .Values.name }}`. */
const plainText = (value: unknown): string =>
  typeof value === "object" && value !== null ? "{{ … }}" : String(value ?? "");

const mapOf = (value: unknown): Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
