/** What is generated into a project that uses Postern: schemas for its editors, and a page for each of its own parts. */
import type { GeneratedFile } from "../project/generated-files.ts";
import { project } from "../project/project.ts";
import { partPage } from "./reference.ts";
import { schemas } from "./schemas.ts";

const notice = "<!-- Written by `npx postern gen` from the code; edits are lost. -->";

/** @throws if a part begins with no comment */
export const projectFiles = (): GeneratedFile[] => [
  ...schemas(),
  ...project().own.parts.map(({ group, name, spec }) => partPage(group, name, spec, notice)),
];
