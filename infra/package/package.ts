/** `npm run package`: makes the tarball of the npm package in `.build/package`. */
import path from "node:path";
import { codeRoot } from "../project/generated-files.ts";
import { pack, stage } from "./stage.ts";

const { name, version, file, size, unpackedSize, files } = pack(stage());
const kilobytes = (bytes: number): string => `${Math.ceil(bytes / 1000)} kB`;
console.log(
  `${path.relative(codeRoot, file)}: ${name}@${version}, ${files.length} files, ${kilobytes(size)}, unpacked ${kilobytes(unpackedSize)}`,
);
