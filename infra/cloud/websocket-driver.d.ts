/** Types of the part of websocket-driver that is used. The package has none. */
declare module "websocket-driver" {
  import type { EventEmitter } from "node:events";
  import type { IncomingMessage } from "node:http";
  import type { Duplex } from "node:stream";

  export interface Driver extends EventEmitter {
    readonly io: Duplex;
    start(): boolean;
    text(message: string): boolean;
    close(reason?: string, code?: number): boolean;
  }
  const driver: {
    http(
      request: IncomingMessage,
      options?: {
        readonly protocols?: readonly string[];
        readonly maxLength?: number;
        readonly requireMasking?: boolean;
      },
    ): Driver;
  };
  export default driver;
}
