/** A local cloud in this process, and a client of its edge. */
import fs from "node:fs";
import http from "node:http";
import os from "node:os";
import path from "node:path";
import { text } from "node:stream/consumers";
import { onTestFinished } from "vitest";
import { type Cloud, type CloudOptions, startCloud } from "../../infra/cloud/cloud.ts";

/** A folder for an account; gone with the test. */
export const temporaryFolder = (): string => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "postern-cloud-"));
  onTestFinished(() => fs.rmSync(folder, { recursive: true, force: true }));
  return folder;
};

export const startLocalCloud = async (options: Partial<CloudOptions> = {}): Promise<Cloud> => {
  const cloud = await startCloud({ folder: options.folder ?? temporaryFolder(), edgePort: 0, ...options });
  onTestFinished(() => cloud.close());
  return cloud;
};

export interface WorkerResponse {
  readonly status: number;
  readonly body: string;
}

/** Requests a Worker by its workers.dev address. */
export const getWorker = (
  edge: string,
  worker: string,
  target = "/",
  headers: Readonly<Record<string, string>> = {},
): Promise<WorkerResponse> =>
  new Promise((resolve, reject) => {
    http
      .get(
        new URL(target, edge),
        { headers: { host: `${worker}.local.workers.dev`, ...headers }, agent: false },
        (response) => {
          text(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject);
        },
      )
      .on("error", reject);
  });
