/** Schemas of prefixes of paths: whole segments. */
import * as z from "zod";
import { canonicalPath } from "../gateway/http/path.ts";

const isCanonical = (path: string): boolean => canonicalPath(new URL(path, "https://any.example").pathname) === path;

const prefix = () =>
  z
    .string()
    .regex(/^(?:\/[\w.~!$&'()*+,;=:@%-]+)+$/, "a prefix begins with / and does not end with one: /wallet/v1")
    .refine(isCanonical, "a prefix as a path is matched: no dot segments, nothing encoded that need not be");

/** The two keys for replacing a path prefix. */
export const prefixes = () => ({
  "strip-prefix": prefix()
    .optional()
    .describe("What is taken from the path's beginning; a path that does not begin so stays as it is"),
  "put-prefix": prefix().optional().describe("What is put before the path, in place of what was taken"),
});
