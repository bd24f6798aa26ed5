/** `npm run package`: makes the tarballs of `postern` and `create-postern` in `.build/package`. */
import path from "node:path";
import { codeRoot } from "../project/generated-files.ts";
import { pack, stage, stageCreate } from "./stage.ts";

const kilobytes = (bytes: number): string => `${Math.ceil(bytes / 1000)} kB`;

for (const { file, size, unpackedSize, files } of [pack(stage()), pack(stageCreate())])
  console.log(
    `${path.relative(codeRoot, file)}: ${files.length} files, ${kilobytes(size)}, unpacked ${kilobytes(unpackedSize)}`,
  );
