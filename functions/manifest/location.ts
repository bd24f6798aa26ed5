/** Schema of an upstream's `location`: whether references to its own address are rewritten. */
import * as z from "zod";
import type { LocationMode } from "../gateway/proxy/location.ts";

export const location = () =>
  z
    .enum(["rewrite", "keep"])
    .default("rewrite")
    .describe(
      "`rewrite` turns references to the service's own address in `Location`, `Content-Location` and `Refresh` into the public ones; `keep` passes them on as they came",
    );

/** An upstream's configuration in which code may omit this key. */
export type WithOptionalLocation<C extends { readonly location: LocationMode }> = Omit<C, "location"> & {
  readonly location?: LocationMode;
};
