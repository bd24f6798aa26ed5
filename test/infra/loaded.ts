/** A preload that writes the URL of each module that the process loads to the file that POSTERN_LOADED names. */
import fs from "node:fs";
import { registerHooks } from "node:module";

const file = process.env.POSTERN_LOADED ?? "";
registerHooks({
  load: (url, context, nextLoad) => {
    fs.appendFileSync(file, `${url}\n`);
    return nextLoad(url, context);
  },
});
