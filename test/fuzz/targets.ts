/** All targets of the fuzzer. */
import type { Target } from "./target.ts";
import { bodies } from "./targets/bodies.ts";
import { controlTargets } from "./targets/control.ts";
import { tokens } from "./targets/credentials.ts";
import { projectTargets } from "./targets/projects.ts";
import { signed } from "./targets/signed.ts";
import { wireTargets } from "./targets/wire.ts";

export const targets: readonly Target[] = [
  ...wireTargets,
  signed,
  tokens,
  bodies,
  ...projectTargets,
  ...controlTargets,
];
