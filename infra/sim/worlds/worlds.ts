/** All worlds. */
import { adversaries } from "./adversaries.ts";
import { harmfulWorlds } from "./harmful.ts";
import { harmlessWorlds } from "./harmless.ts";
import type { World } from "./world.ts";

export const worlds: readonly World[] = [...harmlessWorlds, ...harmfulWorlds, ...adversaries];
