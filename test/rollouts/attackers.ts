/** Clients that send what a rollout's verdict should not follow, each from an address of its own. */
import http from "node:http";
import { text } from "node:stream/consumers";
import { onTestFinished } from "vitest";

/** No user of `users.ts` has one of them. Each is a network. */
export const attackerAddress = (number: number): string => `127.201.${number}.1`;

export interface AttackerRequest {
  readonly path: string;
  readonly address: string;
  /** The gray key. */
  readonly key: string;
}

const agent = new http.Agent({ keepAlive: true, timeout: 3000 });

/** @returns the release that answered, or nothing */
const ask = (edge: string, { path, address, key }: AttackerRequest): Promise<string> =>
  new Promise((done) => {
    const { hostname, port } = new URL(edge);
    const headers = { "x-device-id": key };
    const request = http.get({ hostname, port, path, agent, localAddress: address, headers }, (response) => {
      const release = String(response.headers["x-release"] ?? "");
      text(response).then(
        () => done(release),
        () => done(""),
      );
    });
    request.setTimeout(5000, () => request.destroy());
    request.on("error", () => done(""));
  });

const tries = 2000;
const atOnce = 8;

/** Keys to which a release answers, found by asking. */
export const keysOf = async (edge: string, path: string, release: string, count: number): Promise<string[]> => {
  const found: string[] = [];
  for (let number = 0; found.length < count && number < tries; number += atOnce) {
    const keys = Array.from({ length: atOnce }, (_, index) => `key-${number + index}`);
    const answers = await Promise.all(keys.map((key) => ask(edge, { path, address: attackerAddress(0), key })));
    found.push(...keys.filter((_, index) => answers[index] === release));
  }
  return found.slice(0, count);
};

const maxInFlight = 32;

/** Sends requests at a rate until the end of the test, or until it is called. @param next the n-th request */
export const keepSending = (edge: string, perSecond: number, next: (number: number) => AttackerRequest) => {
  let [number, inFlight] = [0, 0];
  const timer = setInterval(() => {
    if (inFlight >= maxInFlight) return;
    inFlight++;
    void ask(edge, next(number++)).finally(() => inFlight--);
  }, 1000 / perSecond);
  const stop = (): number => {
    clearInterval(timer);
    return number;
  };
  onTestFinished(() => void stop());
  return stop;
};
