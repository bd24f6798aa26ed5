/** Reads a stream whole, as far as it is not too long. */

/**
 * @param awaited wraps each wait for more
 * @throws what `tooLong` makes, as soon as there are more bytes than `most`
 */
export const collect = async (
  stream: ReadableStream<Uint8Array> | null,
  most: number,
  tooLong: () => Error,
  awaited: <T>(part: Promise<T>) => Promise<T> = (part) => part,
): Promise<Uint8Array> => {
  if (!stream) return new Uint8Array();
  const reader = stream.getReader();
  const chunks: Uint8Array[] = [];
  let total = 0;
  for (;;) {
    const { done, value } = await awaited(reader.read());
    if (done) return joined(chunks, total);
    total += value.byteLength;
    if (total > most) {
      await reader.cancel().catch(() => {});
      throw tooLong();
    }
    chunks.push(value);
  }
};

const joined = (chunks: readonly Uint8Array[], total: number): Uint8Array => {
  const whole = new Uint8Array(total);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.byteLength;
  }
  return whole;
};

/** The JSON of an answer that has no more bytes than that. @throws where it has, and where it is no JSON */
export const jsonOf = async (response: Response, most: number): Promise<unknown> => {
  const bytes = await collect(response.body, most, () => new Error(`the answer has more than ${most} bytes`));
  return JSON.parse(new TextDecoder().decode(bytes));
};
