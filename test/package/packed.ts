/** The tarballs of this repository, made once for all tests of the package. */
import { type Packed, pack, stage, stageCreate } from "../../infra/package/stage.ts";

let made: { readonly postern: Packed; readonly create: Packed } | undefined;

export const packed = (): { readonly postern: Packed; readonly create: Packed } => {
  made ??= { postern: pack(stage()), create: pack(stageCreate()) };
  return made;
};
