/** Which client an address stands for. */

/** An IPv6 client has a whole /64 to write from, so that is the client. Empty where there is no address. */
export const networkOf = (ip: string | null): string => {
  if (ip === null) return "";
  if (/^\d{1,3}(?:\.\d{1,3}){3}$/.test(ip)) return ip;
  const plain = plainNetwork.exec(ip);
  if (plain) return plain[1] as string;
  const groups = groupsOf(ip);
  if (!groups) return "";
  const [high, low] = groups.slice(6).map((group) => Number.parseInt(group, 16)) as [number, number];
  // An IPv4 client that came by an IPv6 socket (RFC 4291, 2.5.5.2).
  if (groups.slice(0, 6).join(":") === "0:0:0:0:0:ffff") return [high >> 8, high & 255, low >> 8, low & 255].join(".");
  return groups.slice(0, 4).join(":");
};

/** The first four groups, where they are written out as the platform writes them: most clients then cost no parser. */
const plainNetwork = /^([1-9a-f][\da-f]{0,3}(?::(?:0|[1-9a-f][\da-f]{0,3})){3})(?::[\da-f]{1,4}){4}$/;

/** The eight of an IPv6 address. The platform's own parser says what is one and how it is written, and is there already. */
const groupsOf = (ip: string): readonly string[] | undefined => {
  const address = `http://[${ip}]`;
  if (!/^[\da-f:.]+$/i.test(ip) || !URL.canParse(address)) return undefined;
  const [head = [], tail] = new URL(address).hostname
    .slice(1, -1)
    .split("::")
    .map((part) => (part === "" ? [] : part.split(":")));
  return tail ? [...head, ...Array(8 - head.length - tail.length).fill("0"), ...tail] : head;
};
