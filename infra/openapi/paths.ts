/** Paths of OpenAPI documents: percent-encoding, and parameters that span several segments. */
import type { Operation } from "./operations.ts";

/** `/café` is sent as `/caf%C3%A9`. */
export const encodePath = (text: string): string => text.replaceAll(/[^\p{ASCII}]+|[ "<>^`|\\]/gu, encodeURIComponent);

/**
 * OpenAPI has no multi-segment parameters, but tools write them: API Gateway's `{proxy+}`, `{+path}` of
 * RFC 6570 (section 3.2.3), `{path*}`.
 */
const multiSegmentMarks = /^\+|[+*]$/;

/** The name of a parameter: `proxy` of `{proxy+}`. */
export const parameterName = (written: string): string => written.replace(multiSegmentMarks, "");

/** @param written between the braces */
export const isMultiSegment = (written: string, { parameters }: Operation): boolean =>
  multiSegmentMarks.test(written) ||
  parameters.some((it) => it.in === "path" && it.name === written && it.value["x-multi-segment"] === true);
