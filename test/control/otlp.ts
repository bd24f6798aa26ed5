/** Decodes OTLP messages with OpenTelemetry's own message classes. */
import generated from "@opentelemetry/otlp-transformer/build/src/generated/root.js";

interface Message {
  readonly verify: (input: object) => string | null;
  readonly fromObject: (input: object) => object;
  readonly toObject: (message: object, how: object) => object;
  readonly encode: (message: object) => { finish(): Uint8Array };
  readonly decode: (bytes: Uint8Array) => object;
}

const { metrics, trace } = (
  generated as unknown as {
    readonly opentelemetry: {
      readonly proto: {
        readonly collector: {
          readonly metrics: { readonly v1: { readonly ExportMetricsServiceRequest: Message } };
          readonly trace: { readonly v1: { readonly ExportTraceServiceRequest: Message } };
        };
      };
    };
  }
).opentelemetry.proto.collector;

const types = { metrics: metrics.v1.ExportMetricsServiceRequest, traces: trace.v1.ExportTraceServiceRequest };

const ids: readonly string[] = ["traceId", "spanId", "parentSpanId"];

/** Unlike in other Protobuf JSON, ids are hexadecimal in OTLP's JSON. */
const bytes = (key: string, value: unknown): unknown =>
  ids.includes(key) ? Buffer.from(String(value), "hex").toString("base64") : value;

const mapped = (value: unknown, map: (key: string, value: unknown) => unknown): unknown =>
  JSON.parse(JSON.stringify(value, map));

/**
 * The message as a collector decodes it, after a round trip through bytes.
 * @throws for an unknown field or a wrong type
 */
export const decodeOtlp = (signal: "metrics" | "traces", text: string): Record<string, unknown> => {
  const type = types[signal];
  const input = mapped(JSON.parse(text), bytes) as object;
  const message = type.fromObject(input);
  const wrong = type.verify(message);
  if (wrong !== null) throw new Error(wrong);
  const whole = type.decode(type.encode(message).finish());
  const output = mapped(type.toObject(whole, { longs: String, enums: Number, bytes: String }), (_, value) => value);
  const [one, other] = [normalized(input), normalized(output)];
  if (one !== other) throw new Error(`a field is lost on the way:\n${one}\n${other}`);
  return output as Record<string, unknown>;
};

/** Ignores the order of keys, and whether a 64-bit number is a text. */
const normalized = (value: unknown): string =>
  JSON.stringify(value, (_, it) =>
    it && typeof it === "object" && !Array.isArray(it)
      ? Object.fromEntries(Object.entries(it).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : it,
  );
