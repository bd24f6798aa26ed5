/** The key of an upstream that says what becomes of its references to itself. */
import * as z from "zod";
import type { LocationMode } from "../gateway/proxy/location.ts";

export const location = () =>
  z
    .enum(["rewrite", "keep"])
    .default("rewrite")
    .describe(
      "`rewrite` turns references to the service's own address in `Location`, `Content-Location` and `Refresh` into the public ones; `keep` passes them on as they came",
    );

/** An upstream's configuration, of which the code may leave this key out. */
export type WithOptionalLocation<C extends { readonly location: LocationMode }> = Omit<C, "location"> & {
  readonly location?: LocationMode;
};
