/** All generated files: registries, schemas, reference docs. */
import type { GeneratedFile } from "../project/generated-files.ts";
import { presetPages } from "./presets.ts";
import { reference } from "./reference.ts";
import { registries } from "./registries.ts";
import { schemas } from "./schemas.ts";
import { spoofablePage } from "./spoofable.ts";

export const generate = (): GeneratedFile[] => [
  ...registries(),
  ...reference(),
  ...schemas(),
  ...presetPages(),
  spoofablePage(),
];
