/** The names of the templates of `postern init`. */
export const templateNames = ["minimal", "mobile", "samples", "from-openapi"] as const;

export type TemplateName = (typeof templateNames)[number];
