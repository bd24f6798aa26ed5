/** Schemas of names in manifests. */
import * as z from "zod";

/** Name of a tier, route, upstream, preset, variable … */
export const name = () =>
  z
    .string()
    .regex(
      /^[a-z](?:[a-z0-9-]{0,46}[a-z0-9])?$/,
      "a name is lower case letters, digits and hyphens, 48 at most: red-packet",
    );

const label = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?";

export const host = () =>
  z
    .string()
    .regex(
      new RegExp(`^(?=.{1,253}$)${label}(?:\\.${label})*$`),
      "a host name in lower case, with no port: api.acme.example",
    );

/** A host, or a wildcard for its subdomains. */
export const hostOrWildcard = () =>
  z
    .string()
    .regex(
      new RegExp(`^(?=.{1,253}$)(?:\\*\\.${label}\\.)?${label}(?:\\.${label})*$`),
      "a host name in lower case, with no port: api.acme.example, or *.acme.example for all beneath it",
    );

/** A field name of HTTP, as it is compared (RFC 9110, section 5.1). */
export const headerName = () => z.string().regex(/^[a-z0-9-]{1,64}$/, "a header's name in lower case");

/** Headers that the runtime uses for framing and routing, and those that the gateway sets. */
const reservedHeaders =
  /^(?:host|content-length|transfer-encoding|connection|keep-alive|upgrade|te|trailer|proxy-.*|x-request-id|x-forwarded-.*|(?:x-)?postern-.*|cloudflare-workers-.*|cf-.*)$/;

/** Name of a header that a manifest may set or remove. */
export const freeHeaderName = () =>
  headerName().refine((text) => !reservedHeaders.test(text), "this header belongs to the gateway");

export const cookieName = () => z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, "a cookie's name");
