/** Parts of OTLP's JSON that all signals share (opentelemetry-proto 1, "JSON Protobuf Encoding": camelCase, 64 bits as text, ids in hexadecimal). */

export type AttributeValue = string | number | boolean;

export interface Attribute {
  readonly key: string;
  readonly value:
    | { readonly stringValue: string }
    | { readonly intValue: string }
    | { readonly doubleValue: number }
    | { readonly boolValue: boolean };
}

/** Omits attributes without a value. */
export const attributes = (all: Readonly<Record<string, AttributeValue | undefined>>): Attribute[] =>
  Object.entries(all).flatMap(([key, value]) =>
    value === undefined || value === "" ? [] : [{ key, value: attributeValue(value) }],
  );

const attributeValue = (value: AttributeValue): Attribute["value"] => {
  if (typeof value === "string") return { stringValue: value };
  if (typeof value === "boolean") return { boolValue: value };
  return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value };
};

/** @param ms since the epoch */
export const nanos = (ms: number): string => `${BigInt(Math.round(ms * 1000)) * 1000n}`;

export interface ServiceIdentity {
  readonly environment: string;
  readonly tier: string;
  /** The gate's version; empty if unknown. */
  readonly version: string;
}

/** Maps a tier to an OTLP service and a gate's version to the service's version (semantic conventions, Service and Deployment). */
export const resource = ({ environment, tier, version }: ServiceIdentity) => ({
  attributes: attributes({
    "service.name": tier,
    "service.namespace": "postern",
    "service.version": version,
    "deployment.environment.name": environment,
  }),
});

export const scope = { name: "postern" } as const;
