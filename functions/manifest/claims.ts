/** Schemas of the claims and scopes that a filter requires of a token. */
import * as z from "zod";

export const scope = () => z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/, "a scope has no space, quote or backslash");

/** A value, or several of which one has to match. */
export const oneOf = <T extends z.ZodType>(it: T) =>
  z.union([it, z.array(it).min(1)], "a value, or a list of which one must match");

/** @param claim the schema of a claim's name */
export const requiredClaims = <T extends z.ZodType<string, string>>(claim: T) =>
  z.record(claim, oneOf(z.union([z.string(), z.number(), z.boolean()])));

export const requiredClaimsText =
  "Required claims and their values. A claim that is a list matches by one item; `scope`, `scp`, `roles` and `groups` also by one word. `realm_access.roles` is a path into an object, `kubernetes\\.io.namespace` has a dot in a name, and a URI is one name";
