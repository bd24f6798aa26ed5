/** The limits of KV. They are checked before the first write, so that of many pairs either all are stored or none. */
import { ApiError, apiErrors } from "../account/api-errors.ts";

export interface Pair {
  readonly key: string;
  readonly value: string | Uint8Array<ArrayBuffer>;
  /** In seconds since 1970. */
  readonly expiration?: number | undefined;
  /** In seconds from now. */
  readonly expiration_ttl?: number | undefined;
  readonly metadata?: unknown;
}

/** https://developers.cloudflare.com/kv/platform/limits/ */
const maxKeyBytes = 512;
const maxValueBytes = 25 * 1024 * 1024;
const maxMetadataBytes = 1024;
const minSeconds = 60;

/** @throws ApiError */
export const checkKey = (key: string): void => {
  if (key === "" || key === "." || key === "..") throw apiErrors.badKey(`invalid key name "${key}"`);
  const bytes = Buffer.byteLength(key);
  if (bytes > maxKeyBytes)
    throw apiErrors.badKey(`UTF-8 encoded length of ${bytes} exceeds key length limit of ${maxKeyBytes} bytes`);
};

/** @throws ApiError */
export const checkPair = ({ key, value, expiration, expiration_ttl, metadata }: Pair): void => {
  checkKey(key);
  const bytes = Buffer.byteLength(value);
  if (bytes > maxValueBytes) throw tooLarge("Value", bytes, maxValueBytes);
  const metadataBytes = metadata === undefined ? 0 : Buffer.byteLength(JSON.stringify(metadata));
  if (metadataBytes > maxMetadataBytes) throw tooLarge("Metadata", metadataBytes, maxMetadataBytes);
  // Where both are set, the time to live wins.
  const left = expiration_ttl ?? (expiration === undefined ? undefined : expiration - Date.now() / 1000);
  if (left !== undefined && !(left >= minSeconds))
    throw new ApiError(
      400,
      10001,
      `Invalid ${expiration_ttl === undefined ? `expiration of ${expiration}` : `expiration_ttl of ${expiration_ttl}`} for the key "${key}": it has to be at least ${minSeconds} seconds from now`,
    );
};

const tooLarge = (what: string, bytes: number, limit: number) =>
  new ApiError(413, 10001, `${what} length of ${bytes} exceeds limit of ${limit}`);
