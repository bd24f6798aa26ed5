/** Reads a whole stream up to a maximum size. */

/**
 * @param awaitChunk wraps each wait for a chunk
 * @throws the `tooLongError` as soon as the stream exceeds `maxBytes`
 */
export const readAll = async (
  stream: ReadableStream<Uint8Array> | null,
  maxBytes: number,
  tooLongError: () => Error,
  awaitChunk: <T>(part: Promise<T>) => Promise<T> = (part) => part,
): Promise<Uint8Array> => {
  if (!stream) return new Uint8Array();
  const reader = stream.getReader();
  const chunks: Uint8Array[] = [];
  let total = 0;
  for (;;) {
    const { done, value } = await awaitChunk(reader.read());
    if (done) return concatenate(chunks, total);
    total += value.byteLength;
    if (total > maxBytes) {
      await reader.cancel().catch(() => {});
      throw tooLongError();
    }
    chunks.push(value);
  }
};

const concatenate = (chunks: readonly Uint8Array[], total: number): Uint8Array => {
  const whole = new Uint8Array(total);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.byteLength;
  }
  return whole;
};

/**
 * Parses the JSON body of a response.
 * @throws when the body is too long or not JSON
 */
export const readJson = async (response: Response, maxBytes: number): Promise<unknown> => {
  const bytes = await readAll(response.body, maxBytes, () => new Error(`the response has more than ${maxBytes} bytes`));
  return JSON.parse(new TextDecoder().decode(bytes));
};
