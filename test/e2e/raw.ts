import net from "node:net";

/** Sends bytes and reads what comes back, until the other side is silent. */
export const raw = (port: number, bytes: string): Promise<string> =>
  new Promise((resolve) => {
    let heard = "";
    const socket = net.connect(port, "localhost", () => socket.write(bytes));
    const end = () => {
      socket.destroy();
      resolve(heard);
    };
    let silence = setTimeout(end, 3000);
    socket.on("data", (part) => {
      heard += part.toString("latin1");
      clearTimeout(silence);
      silence = setTimeout(end, 300);
    });
    socket.on("error", end).on("close", end);
  });
