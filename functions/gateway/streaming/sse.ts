/** Passes Server-Sent Events on, and ends them between two events. */
import type { Deps } from "../core/types.ts";

/** @param old resolves when it is time to end; rejects when the stream has ended before */
export type CopyStream = (
  body: ReadableStream,
  to: WritableStream,
  expired: Promise<void>,
  deps: Pick<Deps, "sleep">,
) => Promise<void>;

/** How long the rest of an event is waited for, and then for a client that reads nothing. */
const graceMs = 1000;

/** The end is a plain one: a client drops an event that is not whole, and comes back with the last one's id (WHATWG HTML, 9.2.6). */
export const copyEvents: CopyStream = async (body, to, expired, { sleep }) => {
  const reader = body.getReader() as ReadableStreamDefaultReader<Uint8Array>;
  const writer = to.getWriter();
  const finished = new AbortController();
  let ends = "\n\n";
  let ending = false;
  let stopped = false;
  const stop = () => {
    stopped = true;
    return reader.cancel().catch(() => {});
  };
  const end = async () => {
    await expired;
    ending = true;
    if (isWhole(ends)) await stop();
    await sleep(graceMs, finished.signal);
    await stop();
    await sleep(graceMs, finished.signal);
    await writer.abort(new Error("the client reads nothing"));
  };
  end().catch(() => {});
  try {
    while (!(ending && isWhole(ends))) {
      // What is waited for when it is stopped ends or fails, as the body's source likes.
      const read = await reader.read().catch((error) => {
        if (!stopped) throw error;
      });
      if (!read || read.done) break;
      const { value } = read;
      const part = ending ? value.subarray(0, firstEnd(ends, value)) : value;
      ends = endsOf(text(ends, part.subarray(-maxEndLength)));
      await writer.write(part);
    }
    await writer.close();
  } catch (error) {
    await writer.abort(error).catch(() => {});
  } finally {
    finished.abort();
    await stop();
  }
};

/** Two ends of lines, each of which may be CR LF, LF or CR. */
const blankLine = /(?:\r\n|\n|\r(?!\n))(?:\r\n|\n|\r)/;
const maxEndLength = 4;

/** The ends of lines that a text ends in: all that is to be remembered of it. */
const endsOf = (all: string): string => /[\r\n]{0,4}$/.exec(all)?.[0] ?? "";

const isWhole = (ends: string): boolean => blankLine.test(ends);

/** Where the event that is under way ends in the chunk; all of it where it goes on. */
const firstEnd = (ends: string, chunk: Uint8Array): number => {
  if (isWhole(ends)) return 0;
  const found = blankLine.exec(text(ends, chunk));
  return found ? found.index + found[0].length - ends.length : chunk.length;
};

/** A character for each byte, which is enough to find the ends of lines. */
const text = (before: string, chunk: Uint8Array): string => before + new TextDecoder("latin1").decode(chunk);
