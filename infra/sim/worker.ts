/** A thread that simulates chunks of rollouts. */
import { parentPort } from "node:worker_threads";
import { type Chunk, simulateChunk } from "./chunk.ts";

parentPort?.on("message", (chunk: Chunk) => parentPort?.postMessage(simulateChunk(chunk)));
