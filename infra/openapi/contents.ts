/** How bodies are read: JSON and forms by their schemas; other media types are passed unread. */
import type { BodyCheck, ContentCheck } from "../../functions/gateway/validators.ts";
import { isMap, type JsonMap, mapOf, type Rooted, resolved } from "./document.ts";
import { formOf } from "./forms.ts";
import { isForm, isJson, isMultipart, mediaTypeOf } from "./media-types.ts";
import type { Note, Schema } from "./schemas.ts";
import { shapeOf, type Translate } from "./shapes.ts";

export type ContentPlan = Omit<ContentCheck, "check"> & { readonly schema: Schema };

export type BodyPlan = Pick<BodyCheck, "required"> & {
  readonly types: Readonly<Record<string, ContentPlan | null>>;
};

/** @param note is called with what is not checked, and with what nobody looks into */
export const bodyOf = (
  document: Rooted,
  body: JsonMap,
  name: string,
  translate: Translate,
  note: (it: Omit<Note, "where">) => void,
): BodyPlan | undefined => {
  const types = Object.entries(mapOf(body.content)).map(([key, it]): [string, ContentPlan | null] => {
    const type = mediaTypeOf(key);
    const media = mapOf(resolved(document, it));
    const plan = contentOf(document, type, media, name, translate);
    for (const what of isMultipart(type) ? headersOf(document, media) : []) note({ what });
    if (typeof plan === "string") note({ what: `bodies of ${type} are not checked: ${plan}` });
    if (plan === null && Object.keys(mapOf(media.encoding)).length > 0)
      note({ what: `encoding of ${type} is not checked` });
    if (plan === null) note({ kind: "otherwise", what: `bodies of ${type} pass unread: ${silent(media)}` });
    return [type, typeof plan === "string" ? null : plan];
  });
  return types.length === 0 ? undefined : { required: body.required === true, types: Object.fromEntries(types) };
};

/** @returns null where nothing is said of it, and why it is not checked where something is */
const contentOf = (
  document: Rooted,
  type: string,
  media: JsonMap,
  name: string,
  translate: Translate,
): ContentPlan | null | string => {
  if (media.schema === undefined) return media.itemSchema === undefined ? null : "no gate reads their items one by one";
  if (isJson(type)) return { as: "json", schema: translate.schema(media.schema, name) };
  if (saysNothing(resolved(document, media.schema))) return null;
  if (!isForm(type) && !isMultipart(type)) return "no gate reads this media type";
  const schema = translate.schema(media.schema, name);
  const shape = shapeOf(schema, translate.definitions());
  const form = formOf({ document, media, shape, isMultipart: isMultipart(type) });
  if (typeof form === "string") return form;
  return { as: isMultipart(type) ? "multipart" : "form", form, schema };
};

const silent = ({ schema }: JsonMap): string =>
  schema === undefined ? "the document has no schema of them" : "their schema takes any";

/** Words that leave every body of its media type be. */
const open = [
  ...["title", "description", "default", "example", "examples", "deprecated", "externalDocs", "nullable"],
  ...["contentMediaType", "contentEncoding", "$comment", "xml"],
];

/** Any text, or any file. */
const saysNothing = (schema: unknown): boolean =>
  schema === true ||
  (isMap(schema) &&
    Object.entries(schema).every(
      ([word, value]) =>
        open.includes(word) ||
        word.startsWith("x-") ||
        (word === "type" && value === "string") ||
        (word === "format" && value === "binary"),
    ));

/** What encodings say of the headers of parts. */
const headersOf = (document: Rooted, media: JsonMap): string[] =>
  Object.entries(mapOf(media.encoding)).flatMap(([name, it]) => {
    const headers = Object.keys(mapOf(mapOf(resolved(document, it)).headers));
    return headers.length === 0 ? [] : [`the headers of ${name} are not checked: ${headers.join(", ")}`];
  });
