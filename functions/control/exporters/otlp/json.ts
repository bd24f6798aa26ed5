/** What all signals share in OTLP's JSON (opentelemetry-proto 1, "JSON Protobuf Encoding": camelCase, 64 bits as text, ids in hexadecimal). */

export type AttributeValue = string | number | boolean;

export interface Attribute {
  readonly key: string;
  readonly value:
    | { readonly stringValue: string }
    | { readonly intValue: string }
    | { readonly doubleValue: number }
    | { readonly boolValue: boolean };
}

/** What has no value is left out. */
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
  /** Of its gate; empty where that is not known. */
  readonly version: string;
}

/** A tier is a service, and a gate's version its version (semantic conventions, Service and Deployment). */
export const resource = ({ environment, tier, version }: ServiceIdentity) => ({
  attributes: attributes({
    "service.name": tier,
    "service.namespace": "postern",
    "service.version": version,
    "deployment.environment.name": environment,
  }),
});

export const scope = { name: "postern" } as const;
