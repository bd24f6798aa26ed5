/**
 * Writes the one comment of a pull request, or brings it up to date. It needs no packages, so that the job that may write
 * comments runs nothing but this file, taken from the branch that is merged into.
 */
const { GITHUB_API_URL, GITHUB_REPOSITORY, GITHUB_TOKEN, PULL_REQUEST, COMMENT = "" } = process.env;

/** `postern ci` begins its comment so. */
const mark = "<!-- postern ci -->";
const most = 30;

const ask = async (method, path, body) => {
  const response = await fetch(`${GITHUB_API_URL}/repos/${GITHUB_REPOSITORY}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${GITHUB_TOKEN}`,
      accept: "application/vnd.github+json",
      "x-github-api-version": "2022-11-28",
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(20_000),
  });
  if (!response.ok) throw new Error(`${method} ${path} was answered ${response.status}: ${await response.text()}`);
  return response.json();
};

/** Somebody may quote the mark; only what this workflow's own user wrote is overwritten. */
const isOurs = ({ body, user }) => body?.startsWith(mark) && user?.login === "github-actions[bot]";

const find = async () => {
  for (let page = 1; page <= most; page++) {
    const all = await ask("GET", `/issues/${PULL_REQUEST}/comments?per_page=100&page=${page}`);
    const ours = all.find(isOurs);
    if (ours || all.length < 100) return ours;
  }
};

if (!/^\d+$/.test(PULL_REQUEST ?? "")) throw new Error("PULL_REQUEST is the number of a pull request");
if (!COMMENT.startsWith(mark)) throw new Error("COMMENT is what `postern ci --comment` wrote");
const before = await find();
if (before?.body === COMMENT) console.log("the comment says so already");
else if (before) await ask("PATCH", `/issues/comments/${before.id}`, { body: COMMENT });
else await ask("POST", `/issues/${PULL_REQUEST}/comments`, { body: COMMENT });
