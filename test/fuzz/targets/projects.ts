/** Files that the tools read: manifests, OpenAPI documents, files of the Gateway API. Each is accepted, or its problems are reported. */
import fs from "node:fs";
import path from "node:path";
import fc from "fast-check";
import { parse, stringify } from "yaml";
import { effective } from "../../../infra/commands/authoring/effective.ts";
import { compile } from "../../../infra/compiler/compile.ts";
import { audit } from "../../../infra/review/audit/audit.ts";
import { importGatewayApi } from "../../../infra/review/import/gateway-api/import.ts";
import { importOpenApi } from "../../../infra/review/import/openapi/openapi.ts";
import { removeProject, writeFiles } from "../../e2e/project.ts";
import { each } from "../announced-property.ts";
import { link } from "../link-plans.ts";
import { type Cut, cuts, cutText, oddJson, oneOf } from "../pieces.ts";
import { cluster, document, manifest } from "../samples.ts";
import type { Target } from "../target.ts";

/** An edit of a tree: the value at the n-th place of it replaced, removed, or put twice. */
interface Edit {
  readonly at: number;
  readonly how: "replace" | "remove" | "copy" | "name";
  readonly value: unknown;
}

// biome-ignore-start lint/suspicious/noTemplateCurlyInString: what people write into their files
const yamlPieces = oneOf(
  ..."{ } [ ] : - ? & * ! | > ' \" # % @ ` ~ null true .inf .nan 1e308 0x1f 0o7 1_000 <<: *a &a !!binary !!str !x --- ... 2027-06-30 -1 999999999d 99999999999s".split(
    " ",
  ),
  ..."ANY GET /{rest*} /{id:[0-9]+} /{id:(a+)+$} ${x} ${} {consumer.id} {path.id} .. \\ \u0000 \ud800 é".split(" "),
  "\n",
  "\n  ",
  "\n    - ",
  "\t",
  " ",
  "",
);
const values = fc.oneof(
  oddJson,
  oneOf<unknown>(
    "1e308s",
    "0s",
    "999999999d",
    "24d",
    "-1s",
    "NaN",
    "1/0s",
    "999999999/31d",
    "101%",
    "0.00001%",
    "9999-12-31",
    "+100pp",
    "0B",
    "999999999GiB",
    "GET /",
    "ANY /{a}/{a}",
    "GET /{x:[}",
    "GET /{x:(a*)*b}",
    "*",
    "http://",
    "http://[::1",
    "${x}",
    "{claim.}",
    "{body.a.b}",
  ),
);
// biome-ignore-end lint/suspicious/noTemplateCurlyInString: what people write into their files
const edit: fc.Arbitrary<Edit> = fc.record({
  at: fc.nat(10_000),
  how: oneOf("replace", "remove", "copy", "name"),
  value: values,
});

/** Places of a tree, depth first. */
const placesIn = (tree: unknown, found: [object, string][] = []): [object, string][] => {
  if (typeof tree !== "object" || tree === null || found.length > 5000) return found;
  for (const key of Object.keys(tree)) {
    found.push([tree, key]);
    placesIn((tree as Record<string, unknown>)[key], found);
  }
  return found;
};

const put = (holder: object, key: string, value: unknown): void => {
  Object.defineProperty(holder, key, { value, enumerable: true, configurable: true, writable: true });
};

const edited = (tree: unknown, edits: readonly Edit[]): unknown => {
  const copy = structuredClone(tree);
  for (const { at, how, value } of edits) {
    const places = placesIn(copy);
    const [holder, key] = places[at % places.length] ?? [];
    if (!holder || key === undefined) return value;
    const before = (holder as Record<string, unknown>)[key];
    if (how === "replace") put(holder, key, value);
    else if (how === "remove") Reflect.deleteProperty(holder, key);
    else if (how === "copy") put(holder, key, [before, before]);
    else if (!Array.isArray(holder)) put(holder, fc.stringify(value).slice(0, 40), before);
  }
  return copy;
};

interface Change {
  readonly edits: readonly Edit[];
  readonly cuts: readonly Cut[];
}
const change: fc.Arbitrary<Change> = fc.oneof(
  { weight: 3, arbitrary: fc.array(edit, { minLength: 1, maxLength: 4 }).map((edits) => ({ edits, cuts: [] })) },
  { weight: 1, arbitrary: cuts(yamlPieces).map((cuts) => ({ edits: [], cuts })) },
);
const changed = (text: string, { edits, cuts }: Change): string =>
  cutText(edits.length > 0 ? texted(edited(parse(text), edits)) : text, cuts);

/** What YAML cannot hold is JSON. */
const texted = (tree: unknown): string => {
  try {
    return stringify(tree, { aliasDuplicateObjects: false });
  } catch {
    return JSON.stringify(tree) ?? "";
  }
};

const open =
  (check: (root: string, it: Change) => void | Promise<void>, files: Record<string, string> = {}) =>
  async () => {
    const root = writeFiles(files);
    return { property: each(change, (it) => check(root, it)), close: async () => removeProject(root) };
  };

const now = Date.UTC(2026, 10, 1);

const manifests: Target = {
  name: "manifests",
  about: "manifests with other values, keys and characters: problems that say where, or a gate that starts",
  needs: "nothing",
  open: open(
    async (root, it) => {
      fs.writeFileSync(path.join(root, "routes/t.yaml"), changed(manifest, it));
      const compiled = compile(root, "local");
      for (const { file, line, column, message } of compiled.problems)
        if (!(line >= 1 && column >= 1) || message === "" || path.isAbsolute(file))
          throw new Error(`a problem without a place: ${file}:${line}:${column} ${message}`);
      if (compiled.problems.length > 0) return;
      audit([compiled], { root, now, isComplete: true });
      // It reads all of the reference, which is slow, so not of each.
      for (const { checked } of it.edits.length === 1 ? compiled.tiers : [])
        effective(checked.source.file.slice("routes/".length, -".yaml".length), { root, env: "local" });
      await link(compiled);
    },
    { "routes/environments/local.yaml": "values: { x: http://service.example }\n" },
  ),
};

/** What a tool says of a file that it does not take: a sentence, not a crash of JavaScript. */
const toSay = (work: () => void): void => {
  try {
    work();
  } catch (error) {
    const isCrash = error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError;
    if (!(error instanceof Error) || isCrash) throw error;
  }
};

const documents: Target = {
  name: "documents",
  about: "OpenAPI documents with other values, keys and characters, imported and checked",
  needs: "nothing",
  open: open((root, it) => {
    const file = path.join(root, "d.yaml");
    fs.writeFileSync(file, changed(document, it));
    toSay(() => {
      const { files } = importOpenApi(file, root, {
        tier: "d",
        host: "api.acme.example",
        upstream: "https://service.example",
      });
      for (const { file, text } of files) {
        fs.mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
        fs.writeFileSync(path.join(root, file), text);
      }
      const { problems } = compile(root, "local");
      if (problems.length > 0)
        throw new TypeError(
          `what was imported does not hold: ${problems.map((it) => `${it.file}:${it.line} ${it.code} ${it.message}`).join("; ")}`,
        );
    });
  }),
};

const gatewayApi: Target = {
  name: "gateway-api",
  about: "files of the Kubernetes Gateway API with other values, keys and characters, imported and checked",
  needs: "nothing",
  open: open((root, it) => {
    toSay(() => {
      const { files, values } = importGatewayApi([{ file: "g.yaml", text: changed(cluster, it) }], {
        host: ["api.acme.example"],
      });
      for (const old of fs.readdirSync(path.join(root, "routes")))
        if (old.endsWith(".yaml")) fs.rmSync(path.join(root, "routes", old));
      const lines = Object.keys(values).map((name) => `  ${name}: http://service.example\n`);
      fs.writeFileSync(path.join(root, "routes/environments/local.yaml"), `values:\n${lines.join("") || "  {}\n"}`);
      for (const { file, text } of files) fs.writeFileSync(path.join(root, file), text);
      const { problems } = compile(root, "local");
      if (problems.length > 0)
        throw new TypeError(
          `what was imported does not hold: ${problems.map((it) => `${it.file}:${it.line} ${it.code} ${it.message}`).join("; ")}`,
        );
    });
  }),
};

export const projectTargets: readonly Target[] = [manifests, documents, gatewayApi];
