/** Detects duplicate keys in a JSON object: a gate and a service may each use another one (RFC 8259, section 4). */

const quote = 0x22;
const comma = 0x2c;
const [list, listEnd] = [0x5b, 0x5d];
const [map, mapEnd] = [0x7b, 0x7d];
const backslash = 0x5c;

/** @param text well-formed JSON; scanned once, without recursion */
export const hasDuplicateKeys = (text: string): boolean => {
  const stack: (Set<string> | undefined)[] = [];
  // Keys of the current object; undefined in a list.
  let keys: Set<string> | undefined;
  let isKey = false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === map || code === list) {
      stack.push(keys);
      keys = code === map ? new Set() : undefined;
      isKey = code === map;
    } else if (code === mapEnd || code === listEnd) {
      keys = stack.pop();
    } else if (code === comma) {
      isKey = keys !== undefined;
    } else if (code === quote) {
      const end = endOf(text, at);
      if (isKey && keys && keys.size === keys.add(keyIn(text.slice(at + 1, end))).size) return true;
      isKey = false;
      at = end;
    }
  }
  return false;
};

/** The end of the string that begins here: the next quote after an even number of backslashes. */
const endOf = (text: string, start: number): number => {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let before = end - 1;
    while (text.charCodeAt(before) === backslash) before--;
    if ((end - before) % 2 === 1) return end;
  }
  return text.length;
};

const keyIn = (written: string): string => (written.includes("\\") ? JSON.parse(`"${written}"`) : written);
