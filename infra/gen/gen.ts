/** All that is generated: registries, reference docs, the front's block of `wrangler.toml`. */
import fs from "node:fs";
import path from "node:path";
import { type Compiled, compile } from "../compiler/compile.ts";
import { report } from "../compiler/report.ts";
import { type FrontConfig, frontConfig, withFrontBlock } from "../compiler/wrangler.ts";
import { type Generated, home } from "./generated.ts";
import { presetPages } from "./presets.ts";
import { reference } from "./reference.ts";
import { registries } from "./registries.ts";
import { schemas } from "./schemas.ts";

const frontOf = ({ front, tiers, environment }: Compiled): FrontConfig =>
  frontConfig(
    front,
    tiers.map(({ checked }) => checked),
    environment,
  );

/** @throws where a manifest is broken, since the front's block lists every tier */
export const generate = (): Generated[] => {
  const compiled = compile(home, "production");
  if (compiled.problems.length > 0)
    throw new Error(`the manifests have problems\n\n${report(compiled.problems, compiled)}`);
  const toml = fs.readFileSync(path.join(home, "wrangler.toml"), "utf8");
  return [
    ...registries(),
    ...reference(),
    ...schemas(),
    ...presetPages(),
    { file: "wrangler.toml", text: withFrontBlock(toml, frontOf(compiled)) },
  ];
};
