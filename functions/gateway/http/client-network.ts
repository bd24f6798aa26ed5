/** Maps a client address to the network that counts as one client. */

/** The /64 of an IPv6 address, since one client can use all of it. Empty when there is no address. */
export const networkOf = (ip: string | null): string => {
  if (ip === null) return "";
  if (/^\d{1,3}(?:\.\d{1,3}){3}$/.test(ip)) return ip;
  const plain = plainNetwork.exec(ip);
  if (plain) return plain[1] as string;
  const groups = groupsOf(ip);
  if (!groups) return "";
  const [high, low] = groups.slice(6).map((group) => Number.parseInt(group, 16)) as [number, number];
  // An IPv4-mapped IPv6 address (RFC 4291, 2.5.5.2).
  if (groups.slice(0, 6).join(":") === "0:0:0:0:0:ffff") return [high >> 8, high & 255, low >> 8, low & 255].join(".");
  return groups.slice(0, 4).join(":");
};

/** The first four groups in the platform's spelling, so that most addresses need no parser. */
const plainNetwork = /^([1-9a-f][\da-f]{0,3}(?::(?:0|[1-9a-f][\da-f]{0,3})){3})(?::[\da-f]{1,4}){4}$/;

/** The eight groups of an IPv6 address, parsed by the platform's URL parser. */
const groupsOf = (ip: string): readonly string[] | undefined => {
  const address = `http://[${ip}]`;
  if (!/^[\da-f:.]+$/i.test(ip) || !URL.canParse(address)) return undefined;
  const [head = [], tail] = new URL(address).hostname
    .slice(1, -1)
    .split("::")
    .map((part) => (part === "" ? [] : part.split(":")));
  return tail ? [...head, ...Array(8 - head.length - tail.length).fill("0"), ...tail] : head;
};

/**
 * The block of addresses that one party can easily have many of: the /24 of an IPv4 address, the /48 of an IPv6 address (RFC 6177).
 * The usual spelling is cut, not parsed. Empty when there is no address.
 */
export const addressBlockOf = (ip: string | null): string => {
  if (ip === null) return "";
  const usual = usualBlock(ip);
  if (usual !== undefined) return usual;
  const network = networkOf(ip);
  return network.slice(0, Math.max(network.lastIndexOf("."), network.lastIndexOf(":"), 0));
};

/** Up to the third separator. Undefined where leading zeros, capitals or `::` make spellings differ. */
const usualBlock = (ip: string): string | undefined => {
  const separator = ip.indexOf(":") < 0 ? dot : colon;
  let separators = 0;
  let start = 0;
  for (let index = 0; index < ip.length; index++) {
    const code = ip.charCodeAt(index);
    if (code !== separator) {
      if (!isUsual(code, separator)) return undefined;
      continue;
    }
    const length = index - start;
    if (length === 0 || (length > 1 && ip.charCodeAt(start) === zero)) return undefined;
    if (++separators === 3) return ip.slice(0, index);
    start = index + 1;
  }
  return undefined;
};

const [dot, colon, zero] = [46, 58, 48] as const;

const isUsual = (code: number, separator: number): boolean =>
  (code >= zero && code <= 57) || (separator === colon && code >= 97 && code <= 102);
