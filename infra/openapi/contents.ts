/** The validation plan of request bodies: JSON and forms by schema; other media types pass unread. */
import type { BodyCheck, ContentCheck } from "../../functions/gateway/core/ports/validators.ts";
import { isMap, type JsonDocument, type JsonMap, mapOf, resolveRefs } from "./document.ts";
import { formFormat } from "./forms.ts";
import { isForm, isJson, isMultipart, isRange, mediaTypeOf, readableTypes } from "./media-types.ts";
import type { Note, Schema } from "./schemas.ts";
import { type SchemaTranslator, shapeOf } from "./shapes.ts";
import { isCompound } from "./styles.ts";

export type ContentPlan = Omit<ContentCheck, "check"> & { readonly schema: Schema };

export type BodyPlan = Pick<BodyCheck, "required"> & {
  readonly types: Readonly<Record<string, ContentPlan | null>>;
};

type AddNote = (it: Omit<Note, "where">) => void;

/** @param note receives what is not checked, and with what nobody looks into */
export const bodyPlan = (
  document: JsonDocument,
  body: JsonMap,
  name: string,
  translate: SchemaTranslator,
  note: AddNote,
): BodyPlan | undefined => {
  const contents = Object.entries(mapOf(body.content)).map(([key, it]): Content => {
    const [type, media] = [mediaTypeOf(key), mapOf(resolveRefs(document, it))];
    const schema = lazy(() => translate.schema(media.schema, name));
    return { document, type, media, schema, definitions: translate.definitions };
  });
  const typedPlans = contents
    .filter(({ type }) => !isRange(type))
    .map((it): TypedPlan => {
      for (const what of isMultipart(it.type) ? partHeaders(document, it.media) : []) note({ what });
      const plan = contentPlan(it);
      if (typeof plan === "string") note({ what: `bodies of ${it.type} are not checked: ${plan}` });
      if (plan === null) for (const what of unreadNotes(it)) note(what);
      return [it.type, typeof plan === "string" ? null : plan];
    });
  const types = new Map(
    [...Map.groupBy(typedPlans, ([type]) => type)].map(([type, all]) => [type, mergePlans(type, all, note)]),
  );
  // Narrower ranges first, since they take precedence.
  for (const it of contents.filter(({ type }) => isRange(type)).toSorted((a, b) => b.type.length - a.type.length))
    for (const [type, plan] of expandRange(it, types, note)) types.set(type, plan);
  return types.size === 0 ? undefined : { required: body.required === true, types: Object.fromEntries(types) };
};

interface Content {
  readonly document: JsonDocument;
  readonly type: string;
  readonly media: JsonMap;
  /** Translated lazily, once for all types. */
  readonly schema: () => Schema;
  readonly definitions: SchemaTranslator["definitions"];
}

type TypedPlan = readonly [type: string, plan: ContentPlan | null];

const lazy = <T>(make: () => T): (() => T) => {
  let cached: { readonly it: T } | undefined;
  return () => {
    cached ??= { it: make() };
    return cached.it;
  };
};

/** Merges types that differ only in parameters (`application/json; v=1`): a body of either passes. */
const mergePlans = (type: string, all: readonly TypedPlan[], note: AddNote): ContentPlan | null => {
  const plans = [...new Map(all.map(([, plan]) => [JSON.stringify(plan), plan])).values()];
  const [first = null] = plans;
  if (plans.length === 1) return first;
  note({ what: `parameters of ${type} are not distinguished: a body of either is accepted` });
  const schemas = plans.flatMap((it) => (it?.as === "json" ? [it.schema] : []));
  return schemas.length === plans.length ? { as: "json", schema: { anyOf: schemas } } : null;
};

/**
 * Expands a media range to the types that gates read. Text, files and schemas that allow them pass.
 * @param narrowerPlans what is said of types by a key of their own, or by a narrower range
 */
const expandRange = (
  content: Content,
  narrowerPlans: ReadonlyMap<string, ContentPlan | null>,
  note: AddNote,
): TypedPlan[] => {
  const { document, type: range, media, schema, definitions } = content;
  const restPlan: TypedPlan = [range, null];
  if (
    media.schema === undefined ? media.itemSchema === undefined : isUnconstrained(resolveRefs(document, media.schema))
  ) {
    for (const it of unreadNotes(content)) note(it);
    return [restPlan];
  }
  if (media.schema === undefined) {
    note({ what: `bodies of ${range} are not checked: ${itemwiseType}` });
    return [restPlan];
  }
  const isStructured = isCompound(shapeOf(schema(), definitions()));
  const readPlans = isStructured
    ? readableTypes(range).flatMap((type): TypedPlan[] => {
        if (narrowerPlans.has(type)) return [];
        const plan = contentPlan({ ...content, type });
        return plan === null || typeof plan === "string" ? [] : [[type, plan]];
      })
    : [];
  const whyUnchecked = isStructured ? unreadType : "they may be any text or file";
  const checked = `bodies of ${range} are checked where they are ${readPlans.map(([type]) => type).join(", ")}`;
  note({ what: readPlans.length > 0 ? checked : `bodies of ${range} are not checked: ${whyUnchecked}` });
  return [...readPlans, restPlan];
};

const unreadType = "no gate reads this media type";
const itemwiseType = "no gate reads their items one by one";

/** @returns null without a schema; a string says why it is not checked */
const contentPlan = ({ document, type, media, schema, definitions }: Content): ContentPlan | null | string => {
  if (media.schema === undefined) return media.itemSchema === undefined ? null : itemwiseType;
  if (isJson(type)) return { as: "json", schema: schema() };
  if (isUnconstrained(resolveRefs(document, media.schema))) return null;
  if (!isForm(type) && !isMultipart(type)) return unreadType;
  const shape = shapeOf(schema(), definitions());
  const form = formFormat({ document, media, shape, isMultipart: isMultipart(type) });
  if (typeof form === "string") return form;
  return { as: isMultipart(type) ? "multipart" : "form", form, schema: schema() };
};

/** Notes for bodies that pass unread. */
const unreadNotes = ({ type, media }: Content): Omit<Note, "where">[] => [
  ...(Object.keys(mapOf(media.encoding)).length > 0 ? [{ what: `encoding of ${type} is not checked` }] : []),
  {
    kind: "otherwise",
    what: `bodies of ${type} are forwarded unread: ${media.schema === undefined ? "the document has no schema for them" : "their schema accepts any value"}`,
  },
];

/** Keywords that accept every value. */
const permissiveKeywords = [
  ...["title", "description", "default", "example", "examples", "deprecated", "externalDocs", "nullable"],
  ...["contentMediaType", "contentEncoding", "$comment", "xml"],
];

/** Whether a schema accepts any text or file. */
const isUnconstrained = (schema: unknown): boolean =>
  schema === true ||
  (isMap(schema) &&
    Object.entries(schema).every(
      ([word, value]) =>
        permissiveKeywords.includes(word) ||
        word.startsWith("x-") ||
        (word === "type" && value === "string") ||
        (word === "format" && value === "binary"),
    ));

/** Notes for part headers in encodings. */
const partHeaders = (document: JsonDocument, media: JsonMap): string[] =>
  Object.entries(mapOf(media.encoding)).flatMap(([name, it]) => {
    const headers = Object.keys(mapOf(mapOf(resolveRefs(document, it)).headers));
    return headers.length === 0 ? [] : [`the headers of ${name} are not checked: ${headers.join(", ")}`];
  });
