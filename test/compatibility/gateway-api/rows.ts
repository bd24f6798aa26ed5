/** Files of the Kubernetes Gateway API as people really have them, and the right result of each. */
import { files } from "./files.ts";
import { folders } from "./folders.ts";
import { kinds } from "./kinds.ts";
import { names } from "./names.ts";
import { redirects } from "./redirects.ts";
import type { Source } from "./resources.ts";
import { rules } from "./rules.ts";

export const rows: readonly Source[] = [...redirects, ...kinds, ...names, ...files, ...folders, ...rules];
