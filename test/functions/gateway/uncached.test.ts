/** Which requests bypass the platform's cache. */
import { expect, it } from "vitest";
import { bypassCache, uncachedIfCacheable } from "../../../functions/gateway/http/uncached.ts";

it.each([
  ["https://files.example/a/statement.pdf", true],
  ["https://files.example/a/statement.pdf?of=7", true],
  ["https://files.example/robots.txt", true],
  ["https://files.example/a.b", true],
  ["https://files.example/a.", true],
  ["https://files.example/v1.2/statement", false],
  ["https://files.example/statement", false],
  ["https://files.example/statement?file=a.pdf", false],
  ["https://files.example/statement?next=/a/b.pdf", false],
  ["https://files.example/", false],
])("%s: %s", (url, kept) => {
  expect(uncachedIfCacheable(url)).toEqual(kept ? { cf: bypassCache } : undefined);
});
