/** Schemas of prefixes of paths: whole segments. */
import * as z from "zod";
import { canonicalPath } from "../gateway/http/path.ts";

const isCanonical = (path: string): boolean => canonicalPath(new URL(path, "https://any.example").pathname) === path;

const prefix = () =>
  z
    .string()
    .regex(/^(?:\/[\w.~!$&'()*+,;=:@%-]+)+$/, "a prefix begins with / and does not end with one: /wallet/v1")
    .refine(isCanonical, "a canonical prefix: no dot segments, no unnecessary encoding");

/** The two keys for replacing a path prefix. */
export const prefixes = () => ({
  "strip-prefix": prefix().optional().describe("The prefix to remove from the path; other paths stay unchanged"),
  "put-prefix": prefix().optional().describe("The prefix to add to the path, instead of the removed one"),
});
