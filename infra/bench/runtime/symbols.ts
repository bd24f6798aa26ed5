/** Reads callgrind's dumps, and sorts functions by kind of work. */

export const kinds = [
  "memory: given out and taken back",
  "garbage collection",
  "JavaScript: compiled code, the interpreter and built-ins",
  "V8's interface: texts and objects between JavaScript and C++",
  "workerd's API: headers, requests, responses, signals, timers",
  "HTTP, and waiting for it",
  "the rest",
] as const;

export type Kind = (typeof kinds)[number];

/** The first pattern that matches a function's name decides. */
const patterns: readonly (readonly [Kind, RegExp])[] = [
  [
    kinds[0],
    /tcmalloc|^operator (?:new|delete)|HeapArrayDisposer|^(?:malloc|free|realloc|calloc)$|kj::heapString|^mem(?:cpy|set|move)|^__mem/,
  ],
  [
    kinds[1],
    /Scaveng|MarkCompact|Marking|Sweep|GlobalHandles|TracedHandles|cppgc|GCTracer|Evacuat|v8::internal::Heap::/,
  ],
  [kinds[2], /^0x|^Builtins_/],
  [kinds[3], /v8::|^Runtime_|simdutf|workerd::jsg/],
  [kinds[4], /workerd::/],
  [kinds[5], /kj::|hyper|tokio|http::|httparse|bytes::|mio|epoll|syscall/],
];

export const kindOf = (name: string): Kind => patterns.find(([, pattern]) => pattern.test(name))?.[0] ?? "the rest";

/**
 * Instructions of a dump by kind (callgrind's format, with "Name compression"). A cost line behind `calls=` is the callee's,
 * and counted there.
 */
export const kindsIn = (dump: string): ReadonlyMap<Kind, number> => {
  const kindById = new Map<string, Kind>();
  const sums = new Map<Kind, number>(kinds.map((kind) => [kind, 0]));
  let kind: Kind = "the rest";
  let called = false;
  for (const line of dump.split("\n")) {
    const [, role, id = "", name] = /^(c?fn)=\((\d+)\)(?: (.*))?/.exec(line) ?? [];
    if (role !== undefined) {
      if (name !== undefined) kindById.set(id, kindOf(name));
      if (role === "fn") kind = kindById.get(id) ?? "the rest";
    } else if (line.startsWith("calls=")) called = true;
    else if (/^[+\-*\d]/.test(line)) {
      if (!called) sums.set(kind, (sums.get(kind) ?? 0) + Number(line.split(" ")[1] ?? 0));
      called = false;
    }
  }
  return sums;
};
