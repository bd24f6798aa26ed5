/** Copies Server-Sent Events and ends the stream between two events. */
import type { Deps } from "../core/types.ts";

export const isEvents = ({ headers }: Response): boolean =>
  /^text\/event-stream\s*(;|$)/i.test(headers.get("content-type") ?? "");

/** @param expired resolves when the stream must end; rejects when it has ended before */
export type CopyStream = (
  body: ReadableStream,
  to: WritableStream,
  expired: Promise<void>,
  deps: Pick<Deps, "sleep">,
) => Promise<void>;

/** How long to wait for the rest of an event, and then for a client that does not read. */
const graceMs = 1000;

/** Ends normally: a client drops an incomplete event and reconnects with the last event id (WHATWG HTML, 9.2.6). */
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
    await writer.abort(new Error("the client does not read"));
  };
  end().catch(() => {});
  try {
    while (!(ending && isWhole(ends))) {
      // A pending read ends or fails after a cancel, depending on the source.
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

/** Two line ends: CR LF, LF or CR each. */
const blankLine = /(?:\r\n|\n|\r(?!\n))(?:\r\n|\n|\r)/;
const maxEndLength = 4;

/** The trailing line ends of a text, which is all that has to be remembered. */
const endsOf = (all: string): string => /[\r\n]{0,4}$/.exec(all)?.[0] ?? "";

const isWhole = (ends: string): boolean => blankLine.test(ends);

/** Where the current event ends in the chunk; the chunk's length when it continues. */
const firstEnd = (ends: string, chunk: Uint8Array): number => {
  if (isWhole(ends)) return 0;
  const found = blankLine.exec(text(ends, chunk));
  return found ? found.index + found[0].length - ends.length : chunk.length;
};

/** Decodes one character per byte, which is enough to find line ends. */
const text = (before: string, chunk: Uint8Array): string => before + new TextDecoder("latin1").decode(chunk);
